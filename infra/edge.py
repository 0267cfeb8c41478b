"""CloudFront in front of a load balancer: HTTPS without a domain name of one's own."""

from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from acknowledge import acknowledge

HEADER = "X-Origin-Key"


class Edge(Construct):
    """Passes everything on and keeps nothing. Only its own requests hold `condition`, a secret header."""

    def __init__(self, scope: Construct, id: str, *, load_balancer: elb.ApplicationLoadBalancer) -> None:
        super().__init__(scope, id)
        key = secretsmanager.Secret(
            self,
            "Key",
            description="What CloudFront sends the load balancer to be let in",
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=40),
        )
        acknowledge(key, "AwsSolutions-SMG4", "Both who sends it and who checks it take it at deployment only.")
        value = key.secret_value.unsafe_unwrap()  # a reference that CloudFormation resolves, not the value
        self.condition = elb.ListenerCondition.http_header(HEADER, [value])
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="HTTPS for the digit recognition app",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.LoadBalancerV2Origin(
                    load_balancer,
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
                    custom_headers={HEADER: value},
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
            acknowledge(self.distribution, rule, reason)
