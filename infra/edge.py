"""CloudFront in front of a load balancer: HTTPS without a domain name of one's own."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from acknowledge import acknowledge
from config import ConfigError

HEADER = "X-Origin-Key"

# The addresses from which CloudFront calls, by the ids of AWS's own lists: CloudFormation cannot ask for them.
# aws ec2 describe-managed-prefix-lists --filters \
#   Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing
ORIGIN_FACING = {
    "ap-northeast-1": "pl-58a04531",
    "ap-northeast-2": "pl-22a6434b",
    "ap-south-1": "pl-9aa247f3",
    "ap-southeast-1": "pl-31a34658",
    "ap-southeast-2": "pl-b8a742d1",
    "ca-central-1": "pl-38a64351",
    "eu-central-1": "pl-a3a144ca",
    "eu-north-1": "pl-fab65393",
    "eu-west-1": "pl-4fa04526",
    "eu-west-2": "pl-93a247fa",
    "eu-west-3": "pl-75b1541c",
    "sa-east-1": "pl-5da64334",
    "us-east-1": "pl-3b927c52",
    "us-east-2": "pl-b6a144df",
    "us-west-1": "pl-4ea04527",
    "us-west-2": "pl-82a045eb",
}


class Edge(Construct):
    """Passes everything on and keeps Streamlit's own files. Raises ConfigError in a region it does not know.

    Two things keep others from the load balancer: it admits CloudFront's addresses alone, and, since anybody may have
    a distribution there, of its requests only those that hold `condition`, a secret header.
    """

    def __init__(self, scope: Construct, id: str, *, load_balancer: elb.ApplicationLoadBalancer) -> None:
        super().__init__(scope, id)
        region = Stack.of(self).region
        if region not in ORIGIN_FACING:
            raise ConfigError(
                f"context cloudfront: CloudFront's addresses in {region} are not known; add them to edge.py"
            )
        self.addresses = ec2.Peer.prefix_list(ORIGIN_FACING[region])
        key = secretsmanager.Secret(
            self,
            "Key",
            description="What CloudFront sends the load balancer to be let in",
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=40),
        )
        acknowledge(key, "AwsSolutions-SMG4", "Both who sends it and who checks it take it at deployment only.")
        value = key.secret_value.unsafe_unwrap()  # a reference that CloudFormation resolves, not the value
        self.condition = elb.ListenerCondition.http_header(HEADER, [value])
        origin = origins.LoadBalancerV2Origin(
            load_balancer,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
            custom_headers={HEADER: value},
            read_timeout=Duration.seconds(60),  # the app itself gives up after half of it, with a sentence
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="HTTPS for the digit recognition app",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origin,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                # All of the viewer's headers, so that websockets are upgraded and Streamlit sees
                # the host name that its cross-site check compares.
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER,
            ),
            # Their names hold a digest of their content, and Streamlit marks them as never changing.
            additional_behaviors={
                "/static/*": cloudfront.BehaviorOptions(
                    origin=origin,
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                    cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                )
            },
        )
        for rule, reason in {
            "AwsSolutions-CFR1": "Anybody anywhere may draw a digit.",
            "AwsSolutions-CFR2": "A firewall costs more than the app; the API limits rates and sizes itself.",
            "AwsSolutions-CFR3": "The load balancer's access log has every request but those for cached files.",
            "AwsSolutions-CFR4": "A minimum TLS version takes a certificate of one's own: see domain_name.",
            "AwsSolutions-CFR5": "The load balancer has no certificate without a domain name: see domain_name.",
        }.items():
            acknowledge(self.distribution, rule, reason)
