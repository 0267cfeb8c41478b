"""One address for the page and the API: load balancer, routes, and a certificate or CloudFront."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as route53_targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from acknowledge import acknowledge

API_PORT = 8000
PAGE_PORT = 8501
# A list of what is let through, not of what is kept out: however /metrics is spelt, it is not here.
API_PATHS = ("/predict*", "/alphabets*", "/health/*", "/docs*", "/openapi.json")
# A rule takes five values, and one may be the header that CloudFront sends.
PATHS_PER_RULE = 4
ORIGIN_HEADER = "X-Origin-Key"


class FrontDoor(Construct):
    """Routes requests to `page` and `api`, the target groups that the service registers with.

    With `domain_name`: HTTPS with a certificate, HTTP redirected. With `behind_cloudfront`: HTTPS
    at CloudFront, and the load balancer answers only requests that carry CloudFront's secret
    header. The original ports 8501 and 8000 stay open, except behind CloudFront, which they
    would bypass.
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
            self.address = f"https://{self._behind_cloudfront()}"
            self.trusted_proxies = 2
        elif domain_name and hosted_zone_id:
            self._with_domain(domain_name, hosted_zone_id)
            self.address = f"https://{domain_name}"
            self.trusted_proxies = 1
        else:
            self._listen(certificates=[])
            self.address = f"http://{self.load_balancer.load_balancer_dns_name}"
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
            # Streamlit keeps a websocket open while a person draws and thinks.
            idle_timeout=Duration.minutes(10),
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
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
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
        to_page = elb.ListenerAction.forward([self.page])
        not_found = elb.ListenerAction.fixed_response(
            404, content_type="application/json", message_body='{"error": "There is nothing at this path."}'
        )
        for id, port, default, api_paths in (
            ("Common", None, to_page, API_PATHS),
            ("PagePort", PAGE_PORT, to_page, ()),
            ("ApiPort", API_PORT, not_found, ("/", *API_PATHS)),
        ):
            listener = self.load_balancer.add_listener(
                id,
                port=port,
                protocol=protocol,
                certificates=certificates or None,
                ssl_policy=elb.SslPolicy.RECOMMENDED_TLS if certificates else None,
                default_action=default,
            )
            self._route_api(listener, api_paths)

    def _behind_cloudfront(self) -> str:
        """Put CloudFront in front of the load balancer; returns CloudFront's domain name."""
        key = secretsmanager.Secret(
            self,
            "OriginKey",
            description="What CloudFront sends the load balancer to be let in",
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=40),
        )
        acknowledge(key, "AwsSolutions-SMG4", "Both who sends it and who checks it take it at deployment only.")
        value = key.secret_value.unsafe_unwrap()  # a reference that CloudFormation resolves, not the value

        listener = self.load_balancer.add_listener(
            "Common",
            port=80,
            default_action=elb.ListenerAction.fixed_response(403, content_type="text/plain", message_body="Forbidden"),
        )
        from_cloudfront = elb.ListenerCondition.http_header(ORIGIN_HEADER, [value])
        self._route_api(listener, API_PATHS, also=[from_cloudfront])
        listener.add_action(
            "Page", priority=100, conditions=[from_cloudfront], action=elb.ListenerAction.forward([self.page])
        )

        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="HTTPS for the digit recognition app",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.LoadBalancerV2Origin(
                    self.load_balancer,
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
                    custom_headers={ORIGIN_HEADER: value},
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                # All of the viewer's headers, so that websockets are upgraded and Streamlit sees
                # the host name that its cross-site check compares.
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
            ),
        )
        for rule, reason in {
            "AwsSolutions-CFR1": "Anybody anywhere may draw a digit.",
            "AwsSolutions-CFR2": "A firewall costs more than the app; the API limits rates and sizes itself.",
            "AwsSolutions-CFR3": "Nothing is cached, so the load balancer's access log has every request.",
            "AwsSolutions-CFR4": "A minimum TLS version takes a certificate of one's own: see domain_name.",
            "AwsSolutions-CFR5": "The load balancer has no certificate without a domain name: see domain_name.",
        }.items():
            acknowledge(distribution, rule, reason)
        return distribution.distribution_domain_name

    def _route_api(
        self,
        listener: elb.ApplicationListener,
        paths: Sequence[str],
        *,
        also: Sequence[elb.ListenerCondition] = (),
    ) -> None:
        for rule, start in enumerate(range(0, len(paths), PATHS_PER_RULE), start=1):
            some = list(paths[start : start + PATHS_PER_RULE])
            listener.add_action(
                f"Api{rule}",
                priority=rule * 10,
                conditions=[elb.ListenerCondition.path_patterns(some), *also],
                action=elb.ListenerAction.forward([self.api]),
            )
