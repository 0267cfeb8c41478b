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
    """One stack, with the reports on all of its app."""

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
        return self.containers["app"]

    @property
    def containers(self) -> dict[str, dict[str, Any]]:
        return {one["Name"]: one for one in self.the("ECS::TaskDefinition")["ContainerDefinitions"]}


def synthesize(**context: str) -> Synthesis:
    *_, last = stacks(**context).values()  # in the order in which they are deployed
    return last


@cache
def stacks(**context: str) -> dict[str, Synthesis]:
    flags = json.loads((INFRA / "cdk.json").read_text())["context"]
    app = App(
        # No bundling: what a function is made of comes from the package index.
        context={"image": "someone/digits:1.0.0", "aws:cdk:bundling-stacks": [], **flags, **context},
        analytics_reporting=False,
        outdir=mkdtemp(dir=ASSEMBLIES.name),
    )
    build(app)
    assembly = app.synth()
    reports = json.loads((Path(assembly.directory) / "validation-report.json").read_text())["pluginReports"]
    paths = {stack.stack_name: Path(stack.template_full_path) for stack in assembly.stacks}
    return {name: Synthesis(json.loads(path.read_text()), reports, path) for name, path in paths.items()}


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


def with_state() -> Synthesis:
    return synthesize(state="true")


def with_training() -> Synthesis:
    return synthesize(models="true", state="true", training_image="someone/digits-training:1.0.0")


def the_state() -> Synthesis:
    return stacks(state="true")["DigitRecognitionState"]


def serverless() -> Synthesis:
    return synthesize(serverless="true", alarm_email="ops@example.com", monthly_budget_usd="5")
