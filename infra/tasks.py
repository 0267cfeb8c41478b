"""Tasks on Fargate, and how what runs in them is confined."""

from typing import Any

from aws_cdk import aws_ecs as ecs
from constructs import Construct

from acknowledge import acknowledge
from images import container_image

USER_ID = "10001"
"""Of nobody in particular, in our images."""


def task_definition(scope: Construct, *, cpu: int, memory_limit_mib: int, arm64: bool) -> ecs.FargateTaskDefinition:
    task = ecs.FargateTaskDefinition(
        scope,
        "Task",
        cpu=cpu,
        memory_limit_mib=memory_limit_mib,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64 if arm64 else ecs.CpuArchitecture.X86_64,
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
        ),
    )
    acknowledge(task, "AwsSolutions-IAM5[Resource::*]", "A registry's log-in belongs to no repository.")
    acknowledge(task, "AwsSolutions-ECS2", "Only settings that anybody may read; what is secret is injected.")
    return task


def add_confined(
    scope: Construct, task: ecs.TaskDefinition, name: str, image: str, **options: Any
) -> ecs.ContainerDefinition:
    """A container that is not root, may not write to its image, and has no capabilities."""
    linux = ecs.LinuxParameters(scope, "Linux", init_process_enabled=True)
    linux.drop_capabilities(ecs.Capability.ALL)
    return task.add_container(
        name,
        image=container_image(scope, image),
        user=USER_ID,
        readonly_root_filesystem=True,
        linux_parameters=linux,
        **options,
    )


def add_tmp(task: ecs.TaskDefinition, container: ecs.ContainerDefinition) -> None:
    """Fargate has no tmpfs. An empty volume takes owner and mode from the image's VOLUME /tmp."""
    task.add_volume(name="tmp")
    container.add_mount_points(
        ecs.MountPoint(container_path="/tmp", source_volume="tmp", read_only=False)  # noqa: S108
    )
