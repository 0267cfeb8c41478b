"""Synthesize the stack as `cdk synth` does, with the flags of cdk.json, once for each context."""

import json
import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, NamedTuple

from need import need

need(shutil.which("node") is not None, "synthesis needs node")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

from aws_cdk import App  # noqa: E402 - the import itself starts node

from main import build  # noqa: E402

INFRA = Path(__file__).parents[1]
ASSEMBLIES = TemporaryDirectory()
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sign-in-AbCdEf"
OPTIONS = {
    "image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/images@sha256:{'0' * 64}",
    "arm64": "true",
    "min_tasks": "1",
    "max_tasks": "6",
    "sign_in_secret_arn": SECRET,
    "sign_in_allowed": "example.com, ada@example.org",
    "alarm_email": "ops@example.com",
    "monthly_budget_usd": "60",
    "github_repository": "owner@12/name@34",
    "outside_check": "true",
}


class Synthesis(NamedTuple):
    template: dict[str, Any]
    reports: list[dict[str, Any]]
    path: Path

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The properties of every resource of a kind, `ECS::Service` for one."""
        return [r["Properties"] for r in self.template["Resources"].values() if r["Type"] == f"AWS::{kind}"]

    def the(self, kind: str) -> dict[str, Any]:
        (only,) = self.of(kind)
        return only

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [report for report in self.reports if report["pluginName"] != "Construct Annotations"]

    @property
    def warnings(self) -> str:
        return str([report for report in self.reports if report not in self.findings])

    @property
    def container(self) -> dict[str, Any]:
        (only,) = self.the("ECS::TaskDefinition")["ContainerDefinitions"]
        return dict(only)


@cache
def synthesize(**context: str) -> Synthesis:
    flags = json.loads((INFRA / "cdk.json").read_text())["context"]
    app = App(
        # No bundling: what a function is made of comes from the package index.
        context={"image": "someone/digits:1.0.0", "aws:cdk:bundling-stacks": [], **flags, **context},
        analytics_reporting=False,
        outdir=mkdtemp(dir=ASSEMBLIES.name),
    )
    stack = build(app)
    assembly = app.synth()
    path = Path(assembly.get_stack_by_name(stack.stack_name).template_full_path)
    report = json.loads((Path(assembly.directory) / "validation-report.json").read_text())
    return Synthesis(json.loads(path.read_text()), report["pluginReports"], path)


def default() -> Synthesis:
    return synthesize()


def without_https() -> Synthesis:
    return synthesize(cloudfront="false")


def with_domain() -> Synthesis:
    return synthesize(**OPTIONS, domain_name="digits.example.com", hosted_zone_id="Z0123456789")


def with_cloudfront() -> Synthesis:
    return synthesize(**OPTIONS)


def with_models() -> Synthesis:
    return synthesize(models="true")


def serverless() -> Synthesis:
    return synthesize(serverless="true", alarm_email="ops@example.com", monthly_budget_usd="5")
