"""One address for the page and the API: load balancer, routes, and a certificate or CloudFront."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from acknowledge import acknowledge
from edge import Edge

API_PORT = 8000
PAGE_PORT = 8501
# A list of what is let through, not of what is kept out: however /metrics is spelt, it is not here.
API_PATHS = ("/predict*", "/read*", "/alphabets*", "/samples/*", "/health/*", "/docs*", "/openapi.json")
# What the page needs of Streamlit's own addresses, and where they all are: the others tell of sessions and the like.
STREAMLIT_PATHS = (
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/stream",
    "/_stcore/upload_file/*",
    "/_stcore/bidi-components/streamlit-drawable-canvas.*",
)
STREAMLIT_OWN = ("/_stcore*", "/component*")
# A rule takes five values, and one may be the header that CloudFront sends.
PATHS_PER_RULE = 4

Rule = tuple[str, Sequence[str], elb.ListenerAction]
"""An id, the paths that it is for, and what happens to them."""


class FrontDoor(Construct):
    """Routes requests to `page` and `api`, the target groups that the service registers with.

    Behind CloudFront: HTTPS there, and the load balancer admits nobody else. With `domain_name`: HTTPS with a
    certificate, HTTP redirected. With neither, plain HTTP. The original ports 8501 and 8000 stay open, except behind
    CloudFront, which they would bypass.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        domain_name: str | None,
        hosted_zone_id: str | None,
        behind_cloudfront: bool,
    ) -> None:
        super().__init__(scope, id)
        self.load_balancer = self._load_balancer(vpc)
        self.page = self._targets("Page", vpc, port=PAGE_PORT, health_path="/_stcore/health", sticky=True)
        self.api = self._targets("Api", vpc, port=API_PORT, health_path="/health/ready", sticky=False)

        if behind_cloudfront:
            edge = Edge(self, "Edge", load_balancer=self.load_balancer)
            self._listen_to(edge)
            self.host = edge.distribution.distribution_domain_name
            self.address = f"https://{self.host}"
            self.trusted_proxies = 2
        elif domain_name and hosted_zone_id:
            self._with_domain(domain_name, hosted_zone_id)
            self.host = domain_name
            self.address = f"https://{self.host}"
            self.trusted_proxies = 1
        else:
            self._listen(certificates=[])
            self.host = self.load_balancer.load_balancer_dns_name
            self.address = f"http://{self.host}"
            self.trusted_proxies = 1

    def _load_balancer(self, vpc: ec2.IVpc) -> elb.ApplicationLoadBalancer:
        logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=RemovalPolicy.RETAIN,  # who asked for what outlives the stack
        )
        acknowledge(
            logs,
            "AwsSolutions-S1",
            "This bucket is the access log; a log of its readers would need a log too.",
        )
        load_balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            internet_facing=True,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="public"),
            drop_invalid_header_fields=True,
            # Less than the app keeps idle connections, so that no request is sent on one that is being closed
            # there; more than the 30 seconds between two pings on a page's websocket.
            idle_timeout=Duration.seconds(60),
        )
        load_balancer.log_access_logs(logs)
        acknowledge(load_balancer, "AwsSolutions-EC23", "The page is for everybody, so its load balancer is too.")
        return load_balancer

    def _targets(
        self, id: str, vpc: ec2.IVpc, *, port: int, health_path: str, sticky: bool
    ) -> elb.ApplicationTargetGroup:
        return elb.ApplicationTargetGroup(
            self,
            id,
            vpc=vpc,
            port=port,
            protocol=elb.ApplicationProtocol.HTTP,
            target_type=elb.TargetType.IP,
            deregistration_delay=Duration.seconds(30),  # time for requests under way to end
            # A Streamlit session lives in one task: its websocket and its uploads must meet there.
            stickiness_cookie_duration=Duration.days(1) if sticky else None,
            health_check=elb.HealthCheck(
                path=health_path,
                healthy_http_codes="200",
                interval=Duration.seconds(15),
                timeout=Duration.seconds(10),  # as long as the app's own check waits: busy is not sick
                healthy_threshold_count=2,
                unhealthy_threshold_count=4,
            ),
        )

    def _with_domain(self, domain_name: str, hosted_zone_id: str) -> None:
        # Records are named by the zone's name; taking the site's own for it serves any parent zone.
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=hosted_zone_id, zone_name=domain_name
        )
        certificate = acm.Certificate(
            self, "Certificate", domain_name=domain_name, validation=acm.CertificateValidation.from_dns(zone)
        )
        target = route53.RecordTarget.from_alias(route53_targets.LoadBalancerTarget(self.load_balancer))
        route53.ARecord(self, "Address", zone=zone, target=target)
        self._listen(certificates=[certificate])
        self.load_balancer.add_redirect()

    def _listen(self, *, certificates: Sequence[acm.ICertificate]) -> None:
        """Open the common port and the two original ones, all with HTTPS or all without."""
        protocol = elb.ApplicationProtocol.HTTPS if certificates else elb.ApplicationProtocol.HTTP
        to_page, to_api = elb.ListenerAction.forward([self.page]), elb.ListenerAction.forward([self.api])
        for id, port, default, rules in (
            ("Common", None, to_page, self._rules()),
            ("PagePort", PAGE_PORT, to_page, self._page_rules()),
            ("ApiPort", API_PORT, not_found(), [("Api", ("/", *API_PATHS), to_api)]),
        ):
            listener = self.load_balancer.add_listener(
                id,
                port=port,
                protocol=protocol,
                certificates=certificates or None,
                ssl_policy=elb.SslPolicy.RECOMMENDED_TLS if certificates else None,
                default_action=default,
            )
            route(listener, rules)

    def _listen_to(self, edge: Edge) -> None:
        listener = self.load_balancer.add_listener(
            "Common",
            port=80,
            open=False,
            default_action=elb.ListenerAction.fixed_response(403, content_type="text/plain", message_body="Forbidden"),
        )
        listener.connections.allow_default_port_from(edge.addresses, "CloudFront")
        route(listener, self._rules(), also=[edge.condition])
        listener.add_action(
            "Page", priority=100, conditions=[edge.condition], action=elb.ListenerAction.forward([self.page])
        )

    def _rules(self) -> list[Rule]:
        return [("Api", API_PATHS, elb.ListenerAction.forward([self.api])), *self._page_rules()]

    def _page_rules(self) -> list[Rule]:
        return [
            ("Streamlit", STREAMLIT_PATHS, elb.ListenerAction.forward([self.page])),
            ("NotForStrangers", STREAMLIT_OWN, not_found()),
        ]


def route(
    listener: elb.ApplicationListener, rules: Sequence[Rule], *, also: Sequence[elb.ListenerCondition] = ()
) -> None:
    """Add rules, of which the first that fits counts, on condition that what is in `also` holds, too."""
    priority = 0
    for id, paths, action in rules:
        for number, start in enumerate(range(0, len(paths), PATHS_PER_RULE), start=1):
            priority += 10
            some = elb.ListenerCondition.path_patterns(list(paths[start : start + PATHS_PER_RULE]))
            listener.add_action(f"{id}{number}", priority=priority, conditions=[some, *also], action=action)


def not_found() -> elb.ListenerAction:
    return elb.ListenerAction.fixed_response(
        404, content_type="application/json", message_body='{"error": "There is nothing at this path."}'
    )
