"""The API alone, as a function that costs nothing while nobody calls: no page, no samples, no network of its own."""

from typing import Any, cast

from aws_cdk import BundlingOptions, CfnOutput, CfnResource, DockerImage, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from acknowledge import acknowledge
from budget import Budget
from bundle import PYTHON, ROOT, Bundling, fingerprint
from config import Config
from keys import api_key
from watching import Watch, alarm, alarm_topic

MEMORY = 1769
"""Megabytes, with which Lambda gives a function one whole processor; less would only take longer for the same price."""

SECONDS = 60
"""For a request; the API itself gives up after half of it, with a sentence."""


class ServerlessStack(Stack):
    """A function URL, which costs nothing by itself, takes anybody's request; the API asks for its key, always."""

    def __init__(self, scope: Construct, id: str, *, config: Config, **stack_options: Any) -> None:
        super().__init__(scope, id, **stack_options)
        key = api_key(self)
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        key.grant_read(role)
        function = lambda_.Function(
            self,
            "Function",
            description="Digit recognition: the API",
            runtime=lambda_.Runtime(f"python{PYTHON}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64 if config.arm64 else lambda_.Architecture.X86_64,
            handler="app.api.function.handler",
            code=lambda_.Code.from_asset(
                str(ROOT / "app"),
                asset_hash=fingerprint(arm64=config.arm64),
                bundling=BundlingOptions(image=DockerImage.from_registry("none"), local=Bundling(arm64=config.arm64)),
            ),
            role=role,
            log_group=log_group,
            memory_size=MEMORY,
            timeout=Duration.seconds(SECONDS),
            # The most that strangers can make it cost; what comes beyond is answered with 429.
            reserved_concurrent_executions=config.max_concurrency or None,
            environment={"DIGITS_API_KEYS_SECRET": key.secret_arn, "OPENBLAS_NUM_THREADS": "1"},
        )
        acknowledge(function, "AwsSolutions-L1", "It runs on the version of Python that has compiled it.")
        # The CDK names the role twice, of which cfn-lint warns.
        resource = cast(CfnResource, function.node.default_child)
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
        url = function.add_function_url(auth_type=lambda_.FunctionUrlAuthType.NONE)
        if config.alarm_email:
            self._watch(function, alarm_topic(self, config.alarm_email))
        if config.monthly_budget_usd and config.alarm_email:
            Budget(self, "Budget", usd=config.monthly_budget_usd, email=config.alarm_email)
        CfnOutput(self, "Address", value=url.url)
        CfnOutput(self, "ApiKeySecret", value=key.secret_arn)

    def _watch(self, function: lambda_.Function, topic: sns.ITopic) -> None:
        five = Duration.minutes(5)
        failed = function.metric("Url5xxCount", statistic="Sum", period=five)
        refused = function.metric_throttles(period=five)
        for one in (
            Watch("AppErrors", failed, "The function answered 5xx, or broke, more than 5 times in 5 minutes.", above=5),
            Watch(
                "Throttles",
                refused,
                "More than 5 requests in 5 minutes found no room: max_concurrency is reached.",
                above=5,
            ),
        ):
            alarm(self, topic, one)
