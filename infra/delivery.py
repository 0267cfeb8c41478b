"""The role that GitHub Actions assumes to deploy: no stored key, one repository, one branch."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from acknowledge import acknowledge
from images import bootstrap_repository

GITHUB = "token.actions.githubusercontent.com"
ENVIRONMENT = "production"
BRANCH = "main"


class Delivery(Construct):
    """May do what the CDK's bootstrap roles may, copy images to the account and read what their scan has found, read
    this stack's outputs, and read `api_key` to try the app.

    `repository` is written as GitHub's token names it: `owner/name`, or with the numeric ids,
    `owner@1234/name@5678`, for one made since July 2026.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        repository: str,
        provider_arn: str | None,
        api_key: secretsmanager.ISecret | None,
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        provider_arn = provider_arn or self._provider()
        self.role = iam.Role(
            self,
            "Role",
            description="GitHub Actions deploys with this role",
            assumed_by=iam.OpenIdConnectPrincipal(
                iam.OidcProviderNative.from_oidc_provider_arn(self, "Trusted", provider_arn),
                {
                    "StringEquals": {
                        f"{GITHUB}:aud": "sts.amazonaws.com",
                        f"{GITHUB}:sub": f"repo:{repository}:environment:{ENVIRONMENT}",
                        f"{GITHUB}:ref": f"refs/heads/{BRANCH}",
                    }
                },
            ),
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[
                    stack.format_arn(
                        service="iam",
                        region="",
                        resource="role",
                        resource_name=f"cdk-hnb659fds-{purpose}-role-{stack.account}-{stack.region}",
                    )
                    for purpose in ("deploy", "file-publishing", "lookup")
                ],
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
        )
        if api_key:
            api_key.grant_read(self.role)
        images = bootstrap_repository(self, "Repository")
        images.grant_pull_push(self.role)
        images.grant(self.role, "ecr:DescribeImageScanFindings")
        acknowledge(self.role, "AwsSolutions-IAM5[Resource::*]", "A registry's log-in belongs to no repository.")

    def _provider(self) -> str:
        return iam.OidcProviderNative(
            self,
            "GitHub",
            url=f"https://{GITHUB}",
            client_ids=["sts.amazonaws.com"],
            removal_policy=RemovalPolicy.RETAIN,  # other repositories of the account may have come to use it
        ).oidc_provider_arn
