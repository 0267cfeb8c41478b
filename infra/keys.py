"""The keys that callers of the API present."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from acknowledge import acknowledge


def api_key(scope: Construct) -> secretsmanager.Secret:
    return _keys(scope, "ApiKey", "Keys that callers of the API may present, separated by commas")


def admin_keys(scope: Construct) -> secretsmanager.Secret:
    return _keys(scope, "AdminKeys", "Keys of those who may see and change samples, separated by commas")


def _keys(scope: Construct, id: str, description: str) -> secretsmanager.Secret:
    """One made by Secrets Manager; further ones are added to it by hand."""
    keys = secretsmanager.Secret(
        scope,
        id,
        description=description,
        generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=40),
    )
    acknowledge(keys, "AwsSolutions-SMG4", "Rotation would shut out callers; keys are added and removed by hand.")
    return keys
