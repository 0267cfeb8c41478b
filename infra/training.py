"""Retraining from samples on a schedule, by a task of its own on spare capacity, while it lasts."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from incidents import tell
from models import Models
from tasks import add_confined, add_tmp, task_definition
from watching import Watch, alarm

GROUP = "training"
"""By which events tell these tasks from the service's."""

MINUTES = 170
"""In which a run ends by itself."""


class Training(Construct):
    """Takes the samples with an admin's key from the app itself, over HTTPS, and adds a candidate to the models.

    Which model is served it may not say. A task that AWS takes back leaves what it has learned in the bucket; the next
    start of the schedule goes on with it, and ends at once where nothing is left to do.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        image: str,
        arm64: bool,
        schedule: str,
        cluster: ecs.Cluster,
        models: Models,
        address: str,
        admin_keys: secretsmanager.ISecret,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        task = self._task(image=image, arm64=arm64, models=models, address=address, admin_keys=admin_keys)
        models.let_train(task.task_role)
        security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=cluster.vpc,
            description="Training: nothing in, out over HTTPS",
            allow_all_outbound=False,
        )
        security_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "The app, the registry, AWS services")
        own = cluster.node.default_child
        assert isinstance(own, ecs.CfnCluster)
        own.capacity_providers = ["FARGATE", "FARGATE_SPOT"]
        group = scheduler.ScheduleGroup(self, "Group", removal_policy=RemovalPolicy.DESTROY)
        scheduler.Schedule(
            self,
            "Schedule",
            description="Retrain from samples",
            schedule=scheduler.ScheduleExpression.expression(schedule),
            schedule_group=group,
            target=targets.EcsRunFargateTask(
                cluster,
                task_definition=task,
                group=GROUP,
                capacity_provider_strategies=[ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)],
                assign_public_ip=True,  # the way out to the registry, see Network
                vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
                security_groups=[security_group],
                max_event_age=Duration.hours(1),
                retry_attempts=10,  # where there is no spare capacity
            ),
        )
        tell(
            self,
            "Failed",
            topic,
            kind="ECS Task State Change",
            detail={
                "clusterArn": [cluster.cluster_arn],
                "group": [GROUP],
                "lastStatus": ["STOPPED"],
                "$or": [
                    {"stopCode": ["TaskFailedToStart"]},
                    {
                        "stopCode": ["EssentialContainerExited"],
                        "containers": {"exitCode": [{"anything-but": [0]}]},
                    },
                ],
            },
            message="A retraining failed; its log says more: ",
            reason="$.detail.stoppedReason",
        )
        dropped = cloudwatch.Metric(
            namespace="AWS/Scheduler",
            metric_name="InvocationDroppedCount",
            dimensions_map={"ScheduleGroup": group.schedule_group_name},
            statistic="Sum",
            period=Duration.hours(1),
        )
        alarm(self, topic, Watch("NotStarted", dropped, "A retraining could not be started for an hour."))

    def _task(
        self, *, image: str, arm64: bool, models: Models, address: str, admin_keys: secretsmanager.ISecret
    ) -> ecs.FargateTaskDefinition:
        task = task_definition(self, cpu=2048, memory_limit_mib=4096, arm64=arm64)
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.SIX_MONTHS,  # the tables of what was refused, too
            removal_policy=RemovalPolicy.DESTROY,
        )
        container = add_confined(
            self,
            task,
            "training",
            image,
            command=["--samples", address, "--minutes", str(MINUTES), "--count", "0"],
            environment=models.settings,
            secrets={"DIGITS_ADMIN_KEYS": ecs.Secret.from_secrets_manager(admin_keys)},
            stop_timeout=Duration.minutes(2),  # all that AWS gives before it takes a task back
            logging=ecs.LogDriver.aws_logs(stream_prefix="training", log_group=log_group),
        )
        add_tmp(task, container)
        return task
