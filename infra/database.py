"""PostgreSQL for the samples, on RDS."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from constructs import Construct

from acknowledge import acknowledge

NAME = "digits"
PORT = 5432
OWNER, APP, TRAINER = "digits_owner", "digits_app", "digits_trainer"
ROOTS_IN_IMAGE = "/srv/app/samples/rds.pem"
GIGABYTES = 20


class Database(Construct):
    """Encrypted, over TLS alone, in subnets without a way out. Whoever carries `clients` may reach it; who
    has the policy `reading` may sign in as the trainer.

    Its owner's password lies in a secret; everybody else signs in through IAM. Before it is ever deleted a last
    snapshot is taken, and the deletion protection keeps even that from happening by mistake.
    """

    def __init__(self, scope: Construct, id: str, *, vpc: ec2.IVpc, subnets: ec2.SubnetSelection) -> None:
        super().__init__(scope, id)
        group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Database: in from its clients", allow_all_outbound=False
        )
        self.clients = ec2.SecurityGroup(
            self, "Clients", vpc=vpc, description="Carried by who may reach the database", allow_all_outbound=False
        )
        group.add_ingress_rule(self.clients, ec2.Port.tcp(PORT), "Its clients")
        self.clients.add_egress_rule(group, ec2.Port.tcp(PORT), "The database")

        self.owner_secret = rds.DatabaseSecret(self, "Owner", username=OWNER)
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18)
        self.instance = rds.DatabaseInstance(
            self,
            "Instance",
            engine=engine,
            instance_type=ec2.InstanceType.of(ec2.InstanceClass.BURSTABLE4_GRAVITON, ec2.InstanceSize.MICRO),
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=[group],
            port=PORT,
            database_name=NAME,
            credentials=rds.Credentials.from_secret(self.owner_secret),
            iam_authentication=True,
            parameter_group=rds.ParameterGroup(self, "Parameters", engine=engine, parameters={"rds.force_ssl": "1"}),
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,  # the kind that the image has the roots of
            storage_type=rds.StorageType.GP3,
            allocated_storage=GIGABYTES,
            storage_encrypted=True,
            backup_retention=Duration.days(7),
            delete_automated_backups=False,
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            removal_policy=RemovalPolicy.SNAPSHOT,
        )
        self._acknowledge()

        self.reading = iam.ManagedPolicy(
            self, "Readers", description=f"May sign in to the samples' database as {TRAINER}"
        )
        self.instance.grant_connect(self.reading, TRAINER)

    def address(self, user: str) -> str:
        """For the app's settings; the password, if any, comes another way."""
        host = self.instance.db_instance_endpoint_address
        return f"postgresql://{user}@{host}:{PORT}/{NAME}?sslmode=verify-full&sslrootcert={ROOTS_IN_IMAGE}"

    def _acknowledge(self) -> None:
        acknowledge(
            self.instance,
            "AwsSolutions-RDS3",
            "A second zone doubles the cost; while the database is away samples wait in the outbox.",
        )
        acknowledge(self.instance, "AwsSolutions-RDS11", "Another port would hide it from nobody who may reach it.")
        acknowledge(
            self.owner_secret,
            "AwsSolutions-SMG4",
            "Rotation takes a function with a way into the network; only the migration reads this.",
        )
