"""Where things live: one VPC over two zones."""

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from acknowledge import acknowledge


class TwoZones(Stack):
    @property
    def availability_zones(self) -> list[str]:
        # Any two zones of the region, asked for by the template itself: no look-up with
        # credentials at synthesis, and no answer of one account kept in the repository.
        return [Fn.select(zone, Fn.get_azs()) for zone in range(2)]


class Network(Construct):
    """Tasks run in public subnets, behind a security group that admits the load balancer alone.

    A task has to reach its registry, Secrets Manager, CloudWatch Logs and the sign-in provider.
    From a private subnet that takes a NAT gateway, about 33 USD a month in each zone and more
    than a task itself, or four interface endpoints (about 15 USD each over two zones), which do
    not lead to a sign-in provider. A public address costs 3.65 USD and, with no inbound rule but
    the load balancer's, exposes nothing. The `data` subnets have no route to the internet and cost
    nothing: the database belongs there.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
            # Emptying the default group takes a custom resource with its own function and role;
            # nothing here uses that group.
            restrict_default_security_group=False,
        )
        acknowledge(
            self.vpc,
            "AwsSolutions-VPC7",
            "The load balancer's access log has every request from outside; flow logs would only add cost.",
        )
        self.task_subnets = ec2.SubnetSelection(subnet_group_name="public")
        self.data_subnets = ec2.SubnetSelection(subnet_group_name="data")
