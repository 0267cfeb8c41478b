"""The app itself: one image on Fargate in two zones, its secrets, and how many of it run."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_logs as logs
from constructs import Construct

from acknowledge import acknowledge
from front_door import API_PORT, PAGE_PORT
from tasks import add_confined, add_tmp, task_definition

REQUESTS_PER_MINUTE = 20 * 60
DRAIN_SECONDS = 10


class Service(Construct):
    """A Fargate service behind two target groups; `settings` are plain, `secrets` are injected.

    Tasks carry the security groups `also_in`, too.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        image: str,
        arm64: bool,
        settings: Mapping[str, str],
        secrets: Mapping[str, ecs.Secret],
        page: elb.ApplicationTargetGroup,
        api: elb.ApplicationTargetGroup,
        min_tasks: int,
        max_tasks: int,
        also_in: Sequence[ec2.ISecurityGroup] = (),
    ) -> None:
        super().__init__(scope, id)
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc)
        acknowledge(
            self.cluster,
            "AwsSolutions-ECS4",
            "The alarms and the dashboard use metrics that ECS and the load balancer send for nothing.",
        )
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description="Tasks: in from the load balancer, out over HTTPS",
            allow_all_outbound=False,
        )
        self.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "Registries, AWS services, the sign-in provider"
        )
        self.fargate = ecs.FargateService(
            self,
            "Fargate",
            cluster=self.cluster,
            task_definition=self._task(image=image, arm64=arm64, settings=settings, secrets=secrets),
            vpc_subnets=subnets,
            assign_public_ip=True,  # the way out to the registry, see Network
            security_groups=[self.security_group, *self._unchanged(also_in)],
            # No desired_count: a deployment keeps the number that scaling has chosen.
            min_healthy_percent=100,  # new tasks are healthy before old ones go
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            health_check_grace_period=Duration.seconds(60),
        )
        # Else the first task may start before it may read a secret that a deployment adds.
        self.fargate.node.add_dependency(self.fargate.task_definition.obtain_execution_role())
        for targets, port in ((page, PAGE_PORT), (api, API_PORT)):
            targets.add_target(self.fargate.load_balancer_target(container_name="app", container_port=port))
        self._scale(api, min_tasks=min_tasks, max_tasks=max_tasks)

    def _unchanged(self, groups: Sequence[ec2.ISecurityGroup]) -> list[ec2.ISecurityGroup]:
        """Groups of another stack, which get no rules of this one."""
        return [
            ec2.SecurityGroup.from_security_group_id(self, f"Also{number}", group.security_group_id, mutable=False)
            for number, group in enumerate(groups)
        ]

    def _task(
        self, *, image: str, arm64: bool, settings: Mapping[str, str], secrets: Mapping[str, ecs.Secret]
    ) -> ecs.FargateTaskDefinition:
        task = task_definition(self, cpu=512, memory_limit_mib=1024, arm64=arm64)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.RETAIN,  # why a first deployment failed is read after it was taken back
        )
        container = add_confined(
            self,
            task,
            "app",
            image,
            port_mappings=[ecs.PortMapping(container_port=port) for port in (PAGE_PORT, API_PORT)],
            environment={
                "DIGITS_DRAIN_SECONDS": str(DRAIN_SECONDS),
                "DIGITS_WORKERS": "1",  # half a processor, which Fargate does not tell the container
                **settings,
            },
            secrets=dict(secrets),
            # ECS does not read the image's own HEALTHCHECK. This one asks both processes.
            health_check=ecs.HealthCheck(
                command=["CMD", "python", "-m", "app.healthcheck"],
                interval=Duration.seconds(30),
                timeout=Duration.seconds(30),  # under full load it takes half of this
                start_period=Duration.seconds(60),
                retries=3,
            ),
            # A stopping task is first drained at the load balancer; then it has this long to end by itself, of which
            # it goes on for DRAIN_SECONDS: not every end is one that ECS has planned.
            stop_timeout=Duration.seconds(30),
            logging=ecs.LogDriver.aws_logs(stream_prefix="app", log_group=self.log_group),
        )
        add_tmp(task, container)
        return task

    def _scale(self, api: elb.ApplicationTargetGroup, *, min_tasks: int, max_tasks: int) -> None:
        scaling = self.fargate.auto_scale_task_count(min_capacity=min_tasks, max_capacity=max_tasks)
        quickly, slowly = Duration.minutes(1), Duration.minutes(5)
        scaling.scale_on_cpu_utilization(
            "Cpu", target_utilization_percent=60, scale_out_cooldown=quickly, scale_in_cooldown=slowly
        )
        scaling.scale_on_request_count(
            "Requests",
            target_group=api,
            requests_per_target=REQUESTS_PER_MINUTE,
            scale_out_cooldown=quickly,
            scale_in_cooldown=slowly,
        )
