"""The whole template: rules of others, and what a new image changes."""

from collections.abc import Callable

import pytest
from cfnlint import lint

from synth import (
    Synthesis,
    default,
    serverless,
    synthesize,
    the_state,
    with_cloudfront,
    with_domain,
    with_models,
    with_state,
    with_training,
    without_https,
)

EVERY_SHAPE = pytest.mark.parametrize(
    "synthesis",
    [
        default,
        without_https,
        with_domain,
        with_cloudfront,
        with_models,
        serverless,
        with_state,
        with_training,
        the_state,
    ],
)


def test_a_second_image_changes_the_task_definition_and_nothing_else() -> None:
    first = synthesize(image="someone/digits:1.0.0").template
    second = synthesize(image="someone/digits:1.1.0").template
    changed = [name for name, resource in first["Resources"].items() if second["Resources"][name] != resource]
    assert first["Resources"].keys() == second["Resources"].keys()
    assert [first["Resources"][name]["Type"] for name in changed] == ["AWS::ECS::TaskDefinition"]
    (task,) = changed
    (before,) = first["Resources"][task]["Properties"].pop("ContainerDefinitions")
    (after,) = second["Resources"][task]["Properties"].pop("ContainerDefinitions")
    assert first["Resources"][task] == second["Resources"][task]
    assert before | {"Image": "someone/digits:1.1.0"} == after


@EVERY_SHAPE
def test_cdk_nag_finds_nothing_unacknowledged(synthesis: Callable[[], Synthesis]) -> None:
    assert synthesis().findings == []


def test_cdk_nag_does_look() -> None:
    from aws_cdk import App, Stack, Validations
    from aws_cdk import aws_sns as sns
    from cdk_nag import AwsSolutionsChecks

    app = App(analytics_reporting=False)
    sns.Topic(Stack(app, "Bare"), "Topic")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="SNS3"):
        app.synth()


@EVERY_SHAPE
def test_cfn_lint_finds_nothing(synthesis: Callable[[], Synthesis]) -> None:
    assert lint(synthesis().path.read_text(), regions=["us-east-1"]) == []


def test_cfn_lint_does_look() -> None:
    broken = synthesize().path.read_text().replace('"FARGATE"', '"FERRY"')
    assert lint(broken, regions=["us-east-1"])


def test_nothing_has_a_name_of_our_own() -> None:
    """A fixed name would keep two stacks out of one account and a replacement from being made."""
    names = (
        "TableName",
        "BucketName",
        "RoleName",
        "TopicName",
        "AlarmName",
        "ClusterName",
        "ServiceName",
        "LogGroupName",
    )
    for name, resource in with_domain().template["Resources"].items():
        assert not {"Name", *names} & set(resource.get("Properties", {})) or resource["Type"] in (
            "AWS::Route53::RecordSet",
        ), name


def test_what_only_the_command_line_knows_is_warned_of() -> None:
    assert "max_tasks" in synthesize(max_tasks="6").warnings
    assert "not as in cdk.json" not in default().warnings
