"""Retraining by a task of its own: when it runs, where, what it may do, and who is told where it fails."""

from typing import Any

from synth import Synthesis, with_state, with_training
from test_models import policies


def task(synthesis: Synthesis) -> dict[str, Any]:
    (found,) = [
        one
        for one in synthesis.of("ECS::TaskDefinition")
        if one["ContainerDefinitions"][0]["Image"] == "someone/digits-training:1.0.0"
    ]
    return found


def test_without_an_image_there_is_nothing_of_it() -> None:
    assert not with_state().of("Scheduler::Schedule")
    assert "CapacityProviders" not in with_state().the("ECS::Cluster")
    assert len(with_state().of("ECS::TaskDefinition")) == 1


def test_it_runs_on_spare_capacity_with_no_way_in() -> None:
    schedule = with_training().the("Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(23 3-5 ? * MON *)"
    parameters = schedule["Target"]["EcsParameters"]
    assert parameters["CapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]
    assert with_training().the("ECS::Cluster")["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert with_training().the("ECS::Service")["LaunchType"] == "FARGATE", "the app never runs on it"
    (group,) = parameters["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
    opened = with_training().template["Resources"][group["Fn::GetAtt"][0]]["Properties"]
    assert "SecurityGroupIngress" not in opened
    assert [rule["ToPort"] for rule in opened["SecurityGroupEgress"]] == [443]
    assert all(rule["GroupId"] != group for rule in with_training().of("EC2::SecurityGroupIngress"))


def test_its_container_is_confined_as_the_others_are() -> None:
    (container,) = task(with_training())["ContainerDefinitions"]
    assert container["User"] == "10001"
    assert container["ReadonlyRootFilesystem"]
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert [one["ContainerPath"] for one in container["MountPoints"]] == ["/tmp"]


def test_it_asks_the_app_over_https_with_the_admins_key() -> None:
    (container,) = task(with_training())["ContainerDefinitions"]
    assert container["Command"][0] == "--samples"
    assert container["Command"][1]["Fn::Join"][1][0] == "https://"
    (secret,) = container["Secrets"]
    assert secret["Name"] == "DIGITS_ADMIN_KEYS"
    assert secret["ValueFrom"] == with_training().template["Outputs"]["AdminKeySecret"]["Value"]


def test_it_may_add_candidates_and_not_have_one_served() -> None:
    may = policies(with_training(), task(with_training())["TaskRoleArn"]["Fn::GetAtt"][0])
    assert {action: on for action, (on, _) in may.items()} == {
        "s3:GetObject": {"current.json", "models/*", "training/*"},
        "s3:ListBucket": {""},
        "s3:PutObject": {"models/*", "training/*"},
    }
    assert all("aws:SourceVpce" in str(condition) for _, condition in may.values())


def test_a_task_of_the_app_cannot_read_what_trainings_leave() -> None:
    (app,) = [
        one
        for one in with_training().of("ECS::TaskDefinition")
        if one["ContainerDefinitions"][0]["Image"] == "someone/digits:1.0.0"
    ]
    may = policies(with_training(), app["TaskRoleArn"]["Fn::GetAtt"][0])
    assert may["s3:GetObject"][0] == {"current.json", "models/*"}
    assert "s3:PutObject" not in may


def test_who_is_told_of_alarms_is_told_where_it_fails_or_cannot_be_started() -> None:
    (alarm,) = [one for one in with_training().of("CloudWatch::Alarm") if one["Namespace"] == "AWS/Scheduler"]
    (rule,) = [one for one in with_training().of("Events::Rule") if "training" in str(one["EventPattern"])]
    group = with_training().the("Scheduler::Schedule")["Target"]["EcsParameters"]["Group"]
    assert rule["EventPattern"]["detail"]["group"] == [group]
    assert "SpotInterruption" not in str(rule["EventPattern"]), "the next start goes on"
    assert alarm["AlarmActions"] == [rule["Targets"][0]["Arn"]]
    assert alarm["MetricName"] == "InvocationDroppedCount"
