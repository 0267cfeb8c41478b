"""Where images come from: the account's own registry, which AWS's bootstrap has made, or any public one."""

import re

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from constructs import Construct

OWN = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^@:]+)[@:](?P<version>.+)"
)


def bootstrap_repository(scope: Construct, id: str) -> ecr.IRepository:
    """Made by `cdk bootstrap`, so that it is there before the first deployment. Its tags cannot be moved."""
    stack = Stack.of(scope)
    return ecr.Repository.from_repository_name(
        scope, id, f"cdk-hnb659fds-container-assets-{stack.account}-{stack.region}"
    )


def container_image(scope: Construct, image: str) -> ecs.ContainerImage:
    """An image of the account's own registry, which tasks may then pull, or one that anybody may."""
    if own := OWN.fullmatch(image):
        repository = ecr.Repository.from_repository_attributes(
            scope,
            "Repository",
            repository_name=own["name"],
            repository_arn=Stack.of(scope).format_arn(
                service="ecr",
                account=own["account"],
                region=own["region"],
                resource="repository",
                resource_name=own["name"],
            ),
        )
        return ecs.ContainerImage.from_ecr_repository(repository, own["version"])
    return ecs.ContainerImage.from_registry(image)
