"""Models that tasks take up while they run: their bucket, who may read and write there, and what is told of it."""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from acknowledge import acknowledge
from watching import Watch, said

CURRENT, CANDIDATES, TRAINING = "current.json", "models/*", "training/*"
"""What says which model is served, all that may be (app/models/releases.py), and what trainings leave each other."""

REFUSED, AWAY = "A model file was refused", "The models' bucket was not reached"
"""What the API's log says."""


class Models(Construct):
    """`trainer` may add candidates, `promoter` alone says which is served: for whoever in the account may assume them.
    `settings` are what tasks need to look here.
    """

    def __init__(self, scope: Construct, id: str, *, vpc: ec2.IVpc, subnets: ec2.SubnetSelection) -> None:
        super().__init__(scope, id)
        self.endpoint = ec2.GatewayVpcEndpoint(
            self, "Endpoint", vpc=vpc, subnets=[subnets], service=ec2.GatewayVpcEndpointAwsService.S3
        )
        self.bucket = self._bucket()
        self.trainer = self._role("Trainer", read=[CANDIDATES], write=CANDIDATES)
        self.promoter = self._role("Promoter", read=[CURRENT, CANDIDATES], write=CURRENT)
        self.settings = {
            "DIGITS_MODELS_BUCKET": f"s3://{self.bucket.bucket_name}",
            "AWS_REGION": Stack.of(self).region,
        }

    def let_read(self, role: iam.IRole) -> None:
        """What is served, for a task."""
        self._let(role, self._reading([CURRENT, CANDIDATES]))

    def let_train(self, role: iam.IRole) -> None:
        """Add candidates to what is served, for a task."""
        self._let(role, [*self._reading([CURRENT, CANDIDATES, TRAINING]), self._writing(CANDIDATES, TRAINING)])

    def _let(self, role: iam.IRole, statements: Sequence[iam.PolicyStatement]) -> None:
        """Through the endpoint alone: from elsewhere, a task's credentials are good for nothing."""
        for statement in statements:
            statement.add_conditions({"StringEquals": {"aws:SourceVpce": self.endpoint.vpc_endpoint_id}})
            role.add_to_principal_policy(statement)
        self._acknowledge(role)

    def watched(self, log_group: logs.ILogGroup) -> list[Watch]:
        """What the tasks' log must not say."""
        return [
            Watch(
                "ModelRefused",
                said(self, "Refused", log_group=log_group, phrase=REFUSED, metric_name="ModelsRefused"),
                above=0,
                why="A new model was refused: what was served before goes on.",
            ),
            Watch(
                "ModelsAway",
                said(self, "Away", log_group=log_group, phrase=AWAY, metric_name="ModelsAway"),
                above=5,
                times=3,
                why="The models' bucket was out of reach for 15 minutes: tasks serve on what they have.",
            ),
        ]

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[s3.LifecycleRule(noncurrent_version_expiration=Duration.days(365))],
            removal_policy=RemovalPolicy.RETAIN,  # what was trained outlives the stack
        )
        acknowledge(bucket, "AwsSolutions-S1", "Every version of what was written is kept; what was read is no secret.")
        # Nobody overwrites unawares, and nobody a candidate.
        either, new = ("s3:if-match", "s3:if-none-match"), ("s3:if-none-match",)
        for key, headers in ((CURRENT, either), (TRAINING, either), (CANDIDATES, new)):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=[bucket.arn_for_objects(key)],
                    conditions={
                        "Null": dict.fromkeys(headers, "true"),
                        "Bool": {"s3:ObjectCreationOperation": "true"},
                    },
                )
            )
        return bucket

    def _role(self, id: str, *, read: Sequence[str], write: str) -> iam.Role:
        role = iam.Role(self, id, assumed_by=iam.AccountPrincipal(Stack.of(self).account))
        for statement in self._reading(read):
            role.add_to_policy(statement)
        role.add_to_policy(self._writing(write))
        self._acknowledge(role)
        return role

    def _reading(self, keys: Sequence[str]) -> list[iam.PolicyStatement]:
        """Who may not list is told of what is missing that it is forbidden."""
        objects = [self.bucket.arn_for_objects(key) for key in keys]
        return [
            iam.PolicyStatement(actions=["s3:GetObject"], resources=objects),
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]),
        ]

    def _writing(self, *keys: str) -> iam.PolicyStatement:
        objects = [self.bucket.arn_for_objects(key) for key in keys]
        return iam.PolicyStatement(actions=["s3:PutObject"], resources=objects)

    def _acknowledge(self, role: iam.IRole) -> None:
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        for keys in (CANDIDATES, TRAINING):
            rule = f"AwsSolutions-IAM5[Resource::<{Stack.of(self).get_logical_id(bucket)}.Arn>/{keys}]"
            acknowledge(role.node.find_child("DefaultPolicy"), rule, "All of them, of all alphabets.")
