"""What ECS reports by itself, passed on with its reason: failed deployments, and tasks that nobody stopped."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct


class Incidents(Construct):
    """`stopped_tasks` counts the tasks that ended by themselves in 15 minutes."""

    def __init__(self, scope: Construct, id: str, *, service: ecs.FargateService, topic: sns.ITopic) -> None:
        super().__init__(scope, id)
        tell(
            self,
            "DeploymentFailed",
            topic,
            kind="ECS Deployment State Change",
            resources=[service.service_arn],
            detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
            message="A deployment failed and is rolled back: ",
            reason="$.detail.reason",
        )
        stopped = tell(
            self,
            "TaskStopped",
            topic,
            kind="ECS Task State Change",
            detail={
                "clusterArn": [service.cluster.cluster_arn],
                "group": [f"service:{service.service_name}"],  # not tasks that somebody runs by hand
                "lastStatus": ["STOPPED"],
                "$or": [
                    {"stopCode": ["EssentialContainerExited", "TaskFailedToStart"]},
                    {"stoppedReason": [{"prefix": "Task failed"}]},  # a health check of ECS or the load balancer
                ],
            },
            message="A task stopped and is being replaced: ",
            reason="$.detail.stoppedReason",
        )
        self.stopped_tasks = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="TriggeredRules",
            dimensions_map={"RuleName": stopped.rule_name},
            statistic="Sum",
            period=Duration.minutes(15),
        )


def tell(
    scope: Construct,
    id: str,
    topic: sns.ITopic,
    *,
    kind: str,
    detail: dict[str, Any],
    message: str,
    reason: str,
    resources: list[str] | None = None,
) -> events.Rule:
    """Pass events of ECS on, each as a message that ends with its reason, a path within the event."""
    text = events.RuleTargetInput.from_text(message + events.EventField.from_path(reason))
    return events.Rule(
        scope,
        id,
        event_pattern=events.EventPattern(source=["aws.ecs"], detail_type=[kind], resources=resources, detail=detail),
        targets=[targets.SnsTopic(topic, message=text)],
    )
