"""What outlives the app: the network and the database of samples, in a stack that going back never touches."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput
from constructs import Construct

from config import ConfigError
from database import Database
from network import Network, TwoZones

ROOTS = Path(__file__).parents[1] / "app/samples/rds.pem"


class StateStack(TwoZones):
    """Deployed by hand, before the app's stack, which takes its values when it is deployed itself.

    These references are weak, see cdk.json: CloudFormation reads this stack's outputs, and neither stack keeps the
    other from being changed, taken back or removed. The network belongs here since a database cannot leave its own.
    """

    def __init__(self, scope: Construct, id: str, **stack_options: Any) -> None:
        super().__init__(scope, id, termination_protection=True, **stack_options)
        if f"Amazon RDS {self.region} Root CA" not in ROOTS.read_text():
            raise ConfigError(f"context state: {ROOTS.name} has no root certificate of RDS in {self.region}")
        self.network = Network(self, "Network")
        self.database = Database(self, "Database", vpc=self.network.vpc, subnets=self.network.data_subnets)
        CfnOutput(self, "DatabaseInstance", value=self.database.instance.instance_identifier)
        CfnOutput(self, "DatabaseClients", value=self.database.clients.security_group_id)
        CfnOutput(self, "TrainerPolicy", value=self.database.reading.managed_policy_arn)
