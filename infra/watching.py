"""What is watched and who is told: alarms and events to one topic, and a dashboard."""

from collections.abc import Sequence
from typing import NamedTuple

from aws_cdk import Annotations, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config import ConfigError
from incidents import Incidents


class Watch(NamedTuple):
    """A figure that must not be `above` another, or `below`, so many periods in a row, and what it means if it is."""

    id: str
    metric: cloudwatch.IMetric
    why: str
    above: float = 0
    below: float | None = None
    times: int = 1


class Watching(Construct):
    """Every metric used here is one that AWS sends without charge; `more` may be others."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        load_balancer: elb.ApplicationLoadBalancer,
        page: elb.ApplicationTargetGroup,
        api: elb.ApplicationTargetGroup,
        service: ecs.FargateService,
        email: str | None,
        ask_from_outside: str | None,
        more: Sequence[Watch] = (),
    ) -> None:
        super().__init__(scope, id)
        self.topic = alarm_topic(self, email)
        stops = Incidents(self, "Incidents", service=service, topic=self.topic).stopped_tasks

        one, five = Duration.minutes(1), Duration.minutes(5)
        balancer = load_balancer.metrics
        app_errors = balancer.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, period=five)
        balancer_errors = balancer.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=five)
        p99 = api.metrics.target_response_time(statistic="p99", period=five)
        page_healthy = page.metrics.healthy_host_count(statistic="Maximum", period=one)
        api_healthy = api.metrics.healthy_host_count(statistic="Maximum", period=one)
        page_unhealthy = page.metrics.unhealthy_host_count(statistic="Maximum", period=one)
        api_unhealthy = api.metrics.unhealthy_host_count(statistic="Maximum", period=one)
        cpu = service.metric_cpu_utilization(period=five)
        memory = service.metric_memory_utilization(period=five)

        watched = [
            # Without a target there is no figure either, and without visitors no other alarm.
            Watch("PageDown", page_healthy, below=1, times=2, why="No page is healthy: nobody can be served."),
            Watch("ApiDown", api_healthy, below=1, times=2, why="No API is healthy: nobody can be served."),
            # Counts, not shares: with few visitors one failure in three requests would be 33%.
            Watch("AppErrors", app_errors, above=5, why="The app answered 5xx more than 5 times in 5 minutes."),
            Watch(
                "BalancerErrors",
                balancer_errors,
                above=5,
                why="The load balancer itself answered 5xx more than 5 times in 5 minutes: no task could.",
            ),
            Watch(
                "Latency",
                p99,
                above=1,
                times=3,
                why="One API answer in 100 took over a second for 15 minutes.",
            ),
            Watch("PageUnhealthy", page_unhealthy, above=0, times=3, why="A page has failed its health check."),
            Watch("ApiUnhealthy", api_unhealthy, above=0, times=3, why="An API has failed its health check."),
            Watch("TaskRestarts", stops, above=2, why="More than two tasks ended by themselves in 15 minutes."),
            Watch("Cpu", cpu, above=85, times=2, why="CPU over 85% for 10 minutes: scaling does not keep up."),
            Watch(
                "Memory",
                memory,
                above=85,
                times=2,
                why="Memory over 85% for 10 minutes: tasks may be killed.",
            ),
        ]
        if ask_from_outside:
            watched.append(self._from_outside(ask_from_outside))
        alarms = [alarm(self, self.topic, one) for one in (*watched, *more)]

        requests = balancer.request_count(period=five)
        error_share = cloudwatch.MathExpression(
            expression="100 * (app + balancer) / requests",
            using_metrics={"app": app_errors, "balancer": balancer_errors, "requests": requests},
            label="5xx answers, %",
            period=five,
        )
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24),
        )
        self.dashboard.add_widgets(
            self._graph("Requests and errors", left=[requests], right=[error_share]),
            self._graph(
                "API latency, s",
                left=[api.metrics.target_response_time(statistic=s, period=five) for s in ("p50", "p90", "p99")],
            ),
            self._graph("CPU and memory, %", left=[cpu, memory]),
        )
        self.dashboard.add_widgets(
            self._graph(
                "Healthy targets",
                left=[group.metrics.healthy_host_count(statistic="Minimum", period=one) for group in (page, api)],
            ),
            self._graph("Open connections", left=[balancer.active_connection_count(period=five)]),
            self._graph("Tasks that ended by themselves", left=[stops]),
        )

    def _from_outside(self, host: str) -> Watch:
        """Asked every 30 seconds from several continents, as callers ask: by name, over HTTPS, through all there is."""
        if Stack.of(self).region != "us-east-1":
            raise ConfigError("context outside_check: Route 53 keeps its figures in us-east-1; it works only there")
        check = route53.HealthCheck(
            self,
            "Outside",
            type=route53.HealthCheckType.HTTPS,
            fqdn=host,
            resource_path="/health/ready",
        )
        well = cloudwatch.Metric(
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions_map={"HealthCheckId": check.health_check_id},
            statistic="Minimum",
            period=Duration.minutes(1),
        )
        return Watch("OutsideDown", well, below=1, times=2, why="From outside the app does not answer.")

    def _graph(
        self, title: str, *, left: list[cloudwatch.IMetric], right: list[cloudwatch.IMetric] | None = None
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(title=title, left=left, right=right or [], width=8)


def alarm_topic(scope: Construct, email: str | None) -> sns.Topic:
    topic = sns.Topic(scope, "Topic", enforce_ssl=True)
    # The policy that enforces TLS replaces the one that lets the account's own alarms in.
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    else:
        Annotations.of(scope).add_warning_v2("digits:nobody-is-told", "Alarms reach nobody: give alarm_email.")
    return topic


def alarm(scope: Construct, topic: sns.ITopic, watch: Watch) -> cloudwatch.Alarm:
    """Tells the topic when it begins and when it is over. A figure that must not be low must also not be missing."""
    operators, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
    made = cloudwatch.Alarm(
        scope,
        watch.id,
        metric=watch.metric,
        alarm_description=watch.why,
        threshold=watch.above if watch.below is None else watch.below,
        comparison_operator=operators.GREATER_THAN_THRESHOLD if watch.below is None else operators.LESS_THAN_THRESHOLD,
        evaluation_periods=watch.times,
        # Else nobody came, and nothing is wrong.
        treat_missing_data=missing.NOT_BREACHING if watch.below is None else missing.BREACHING,
    )
    made.add_alarm_action(actions.SnsAction(topic))
    made.add_ok_action(actions.SnsAction(topic))
    return made


def said(scope: Construct, id: str, *, log_group: logs.ILogGroup, phrase: str, metric_name: str) -> cloudwatch.Metric:
    """How often a log has a phrase, in five minutes; of a line the name of its process stands before the JSON."""
    found = logs.MetricFilter(
        scope,
        id,
        log_group=log_group,
        filter_pattern=logs.FilterPattern.all_terms(phrase),
        metric_namespace=Stack.of(scope).stack_name,
        metric_name=metric_name,
    )
    return found.metric(statistic="Sum", period=Duration.minutes(5))
