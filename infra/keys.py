"""The key that callers of the API present."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from acknowledge import acknowledge


def api_key(scope: Construct) -> secretsmanager.Secret:
    """Made by Secrets Manager; further ones are added to it by hand, separated by commas."""
    key = secretsmanager.Secret(
        scope,
        "ApiKey",
        description="Keys that callers of the API may present, separated by commas",
        generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=40),
    )
    acknowledge(key, "AwsSolutions-SMG4", "Rotation would shut out callers; keys are added and removed by hand.")
    return key
