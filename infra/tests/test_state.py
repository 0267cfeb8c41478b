"""What outlives the app, and how the app uses it."""

import json
import re
from typing import Any

import pytest

from config import ConfigError
from keeping import LATE
from state import ROOTS
from synth import INFRA, default, stacks, synthesize, the_state, with_state

SAMPLES = INFRA.parent / "app/samples"


def instance() -> dict[str, Any]:
    (only,) = [r for r in the_state().template["Resources"].values() if r["Type"] == "AWS::RDS::DBInstance"]
    return dict(only)


def settings(container: str) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in with_state().containers[container]["Environment"]}


def test_without_the_option_there_is_one_stack_and_no_database() -> None:
    assert list(stacks()) == ["DigitRecognition"]
    assert set(stacks(state="true")) == {"DigitRecognition", "DigitRecognitionState"}
    assert "DIGITS_SAMPLES_DATABASE" not in str(default().container)


def test_the_database_is_small_encrypted_backed_up_and_hard_to_lose() -> None:
    properties = instance()["Properties"]
    assert properties["DBInstanceClass"] == "db.t4g.micro"
    assert (properties["StorageType"], properties["AllocatedStorage"]) == ("gp3", "20")
    assert properties["StorageEncrypted"] is True
    assert properties["BackupRetentionPeriod"] == 7
    assert properties["DeletionProtection"] is True
    assert properties["DeleteAutomatedBackups"] is False
    assert (instance()["DeletionPolicy"], instance()["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")


def test_it_takes_tls_and_iam_alone() -> None:
    assert the_state().the("RDS::DBParameterGroup")["Parameters"] == {"rds.force_ssl": "1"}
    assert instance()["Properties"]["EnableIAMDatabaseAuthentication"] is True
    assert instance()["Properties"]["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"
    assert "Root CA RSA2048 G1" in ROOTS.read_text()
    for container in ("app", "migrate"):
        (tail,) = re.findall(r"\?.*", settings(container)["DIGITS_SAMPLES_DATABASE"]["Fn::Join"][1][-1])
        assert tail == "?sslmode=verify-full&sslrootcert=/srv/app/samples/rds.pem"
    assert ROOTS == SAMPLES / "rds.pem"
    assert "WORKDIR /srv" in (INFRA.parent / "Dockerfile").read_text()


def test_it_lies_in_subnets_without_a_way_out_and_admits_its_clients_alone() -> None:
    resources = the_state().template["Resources"]
    assert instance()["Properties"]["PubliclyAccessible"] is False
    subnets = [one["Ref"] for one in the_state().the("RDS::DBSubnetGroup")["SubnetIds"]]
    routed = {
        one["SubnetId"]["Ref"]: one["RouteTableId"]["Ref"] for one in the_state().of("EC2::SubnetRouteTableAssociation")
    }
    assert len(subnets) == 2
    assert not {routed[one] for one in subnets} & {one["RouteTableId"]["Ref"] for one in the_state().of("EC2::Route")}
    groups = {name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::EC2::SecurityGroup"}
    (clients,) = [name for name, group in groups.items() if group["GroupDescription"].startswith("Carried")]
    (rule,) = the_state().of("EC2::SecurityGroupIngress")
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": [clients, "GroupId"]}
    assert (rule["FromPort"], rule["ToPort"]) == (5432, 5432)
    assert not any("SecurityGroupIngress" in group for group in groups.values())
    assert [rule["FromPort"] for rule in the_state().of("EC2::SecurityGroupEgress")] == [5432]


def test_tasks_are_clients_and_get_no_more_way_in_by_it() -> None:
    groups = with_state().the("ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
    _, clients = groups
    assert clients["Fn::GetStackOutput"]["StackName"] == "DigitRecognitionState"
    rules = with_state().of("EC2::SecurityGroupIngress") + with_state().of("EC2::SecurityGroupEgress")
    assert clients not in [rule["GroupId"] for rule in rules]


def test_neither_stack_holds_the_other() -> None:
    """An export could not be changed or taken back as long as somebody imports it."""
    both = json.dumps([one.template for one in stacks(state="true").values()])
    assert "Fn::ImportValue" not in both
    assert '"Export"' not in both


def test_the_state_is_protected() -> None:
    artifacts = json.loads((the_state().path.parent / "manifest.json").read_text())["artifacts"]
    protected = {name for name, one in artifacts.items() if one.get("properties", {}).get("terminationProtection")}
    assert protected == {"DigitRecognitionState"}


def test_no_app_starts_before_its_image_has_migrated_the_database() -> None:
    app, migrate = (with_state().containers[name] for name in ("app", "migrate"))
    assert app["DependsOn"] == [{"ContainerName": "migrate", "Condition": "SUCCESS"}]
    assert migrate["Image"] == app["Image"]
    assert migrate["Command"][:4] == ["python", "-m", "app.samples", "migrate"]
    assert (migrate["Essential"], app["Essential"]) == (False, True)
    for same in ("User", "ReadonlyRootFilesystem", "LinuxParameters"):
        assert migrate[same] == app[same]
    assert '"--roles"' in (SAMPLES / "__main__.py").read_text()


def test_the_owner_s_password_is_the_migration_s_alone() -> None:
    app, migrate = (with_state().containers[name] for name in ("app", "migrate"))
    (password,) = migrate["Secrets"]
    assert (password["Name"], "DigitRecognitionState" in str(password["ValueFrom"])) == ("PGPASSWORD", True)
    assert {one["Name"] for one in app["Secrets"]} == {"DIGITS_API_KEYS", "DIGITS_ADMIN_KEYS"}
    assert "digits_owner@" in str(settings("migrate"))
    assert "digits_app@" in str(settings("app"))
    assert (settings("app")["DIGITS_SAMPLES_MIGRATE"], settings("app")["DIGITS_SAMPLES_IAM_REGION"]) == (
        "false",
        "us-east-1",
    )


def test_the_task_may_sign_in_as_the_app_and_do_nothing_else() -> None:
    role = with_state().the("ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    (policy,) = [p for p in with_state().of("IAM::Policy") if {"Ref": role} in p["Roles"]]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "rds-db:connect"
    assert statement["Resource"]["Fn::Join"][1][-1] == "/digits_app"


def test_trainers_may_read() -> None:
    (statement,) = the_state().the("IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    assert statement["Action"] == "rds-db:connect"
    assert statement["Resource"]["Fn::Join"][1][-1] == "/digits_trainer"


def test_the_roles_are_those_of_the_app() -> None:
    roles = (SAMPLES / "roles.py").read_text()
    for name in ("digits_app", "digits_trainer"):
        assert f'"{name}"' in roles


def test_the_outbox_lies_on_the_task_s_volume_and_no_health_check_asks_the_database() -> None:
    (mounted,) = with_state().container["MountPoints"]
    assert settings("app")["DIGITS_SAMPLES_OUTBOX"].startswith(mounted["ContainerPath"] + "/")
    assert with_state().container["HealthCheck"] == default().container["HealthCheck"]
    assert "HealthCheck" not in with_state().containers["migrate"]


def test_connections_storage_and_late_samples_are_alarmed_on() -> None:
    alarms = {one["MetricName"]: one for one in with_state().of("CloudWatch::Alarm")}
    assert set(alarms) - {one["MetricName"] for one in default().of("CloudWatch::Alarm")} == {
        "DatabaseConnections",
        "FreeStorageSpace",
        "LateSamples",
    }
    assert (alarms["FreeStorageSpace"]["Threshold"], alarms["FreeStorageSpace"]["TreatMissingData"]) == (
        2e9,
        "breaching",
    )
    counted = with_state().the("Logs::MetricFilter")
    assert counted["FilterPattern"] == f'"{LATE}"'
    assert counted["MetricTransformations"][0]["MetricName"] == "LateSamples"
    assert alarms["LateSamples"]["Namespace"] == counted["MetricTransformations"][0]["MetricNamespace"]
    assert f'LATE_MESSAGE: Final = "{LATE}"' in (SAMPLES / "outbox.py").read_text()


def test_a_region_without_a_root_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_REGION", "xx-north-1")
    with pytest.raises(ConfigError, match=r"context state: rds\.pem has no root certificate of RDS in xx-north-1"):
        synthesize(state="true", max_tasks="5")
