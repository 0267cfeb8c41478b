"""What ECS is told to run, and how."""

import re
from collections.abc import Callable

import pytest

from synth import INFRA, OPTIONS, SECRET, Synthesis, default, synthesize, with_cloudfront, with_domain, without_https


def test_half_a_cpu_and_a_gigabyte_on_fargate() -> None:
    task = default().the("ECS::TaskDefinition")
    assert (task["Cpu"], task["Memory"], task["RequiresCompatibilities"]) == ("512", "1024", ["FARGATE"])
    assert task["RuntimePlatform"]["CpuArchitecture"] == "X86_64"
    assert with_domain().the("ECS::TaskDefinition")["RuntimePlatform"]["CpuArchitecture"] == "ARM64"


def test_the_container_can_change_nothing_but_tmp() -> None:
    container = default().container
    assert container["User"] == "10001"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
    assert container["MountPoints"] == [{"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "tmp"}]
    assert default().the("ECS::TaskDefinition")["Volumes"] == [{"Name": "tmp"}]


def test_tmp_belongs_to_everybody() -> None:
    """ECS mounts an empty volume as root's own, unless the image declares one at that path."""
    assert re.search(r'^VOLUME \[?"?/tmp"?\]?$', (INFRA.parent / "Dockerfile").read_text(), re.MULTILINE)


def test_the_container_check_asks_both_processes() -> None:
    assert default().container["HealthCheck"]["Command"] == ["CMD", "python", "-m", "app.healthcheck"]


def test_the_task_itself_may_do_nothing_in_aws() -> None:
    template = default().template["Resources"]
    task_role = default().the("ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    assert "Policies" not in template[task_role]["Properties"]
    assert "ManagedPolicyArns" not in template[task_role]["Properties"]
    assert not [p for p in default().of("IAM::Policy") if {"Ref": task_role} in p["Roles"]]


def test_secrets_are_injected_by_reference() -> None:
    secrets = {s["Name"]: s["ValueFrom"] for s in with_domain().container["Secrets"]}
    assert set(secrets) == {
        "DIGITS_API_KEYS",
        "DIGITS_OIDC_CLIENT_ID",
        "DIGITS_OIDC_CLIENT_SECRET",
        "DIGITS_OIDC_COOKIE_SECRET",
        "DIGITS_OIDC_METADATA_URL",
    }
    assert set(secrets["DIGITS_API_KEYS"]) == {"Ref"}
    assert secrets["DIGITS_OIDC_CLIENT_SECRET"] == f"{SECRET}:client_secret::"
    assert all(
        "GenerateSecretString" in s and "SecretString" not in s for s in with_domain().of("SecretsManager::Secret")
    )


def test_an_open_api_has_no_key() -> None:
    assert "Secrets" not in synthesize(require_api_key="false").container


@pytest.mark.parametrize(
    ("synthesis", "proxies"), [(default, "2"), (without_https, "1"), (with_domain, "1"), (with_cloudfront, "2")]
)
def test_the_app_believes_as_many_proxies_as_there_are(synthesis: Callable[[], Synthesis], proxies: str) -> None:
    settings = {s["Name"]: s["Value"] for s in synthesis().container["Environment"]}
    assert settings["DIGITS_TRUSTED_PROXIES"] == proxies


def test_signing_in_comes_back_to_the_public_address() -> None:
    settings = {s["Name"]: s["Value"] for s in with_domain().container["Environment"]}
    assert settings["DIGITS_OIDC_REDIRECT_URI"] == "https://digits.example.com/oauth2callback"
    assert "DIGITS_OIDC_REDIRECT_URI" not in {s["Name"] for s in default().container["Environment"]}


def test_a_deployment_never_has_fewer_tasks_and_goes_back_when_it_fails() -> None:
    service = default().the("ECS::Service")
    deployment = service["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert "DesiredCount" not in service, "a number here would undo what scaling has chosen"


def test_both_processes_are_targets() -> None:
    balancers = default().the("ECS::Service")["LoadBalancers"]
    assert sorted(b["ContainerPort"] for b in balancers) == [8000, 8501]


def test_scaling_follows_cpu_and_requests_within_bounds() -> None:
    target = with_domain().the("ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (int(OPTIONS["min_tasks"]), int(OPTIONS["max_tasks"]))
    followed = {
        p["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]
        for p in with_domain().of("ApplicationAutoScaling::ScalingPolicy")
    }
    assert followed == {"ECSServiceAverageCPUUtilization", "ALBRequestCountPerTarget"}


def test_tasks_admit_the_load_balancer_alone_and_go_out_over_https_alone() -> None:
    rules = without_https().of("EC2::SecurityGroupIngress")
    assert sorted(rule["FromPort"] for rule in rules) == [8000, 8501]
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in rules)
    (tasks,) = [g for g in default().of("EC2::SecurityGroup") if g["GroupDescription"].startswith("Tasks")]
    assert "SecurityGroupIngress" not in tasks
    assert [(rule["FromPort"], rule["ToPort"]) for rule in tasks["SecurityGroupEgress"]] == [(443, 443)]


def test_logs_are_kept_for_a_month_and_outlive_a_failed_first_deployment() -> None:
    (group,) = [r for r in default().template["Resources"].values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert (group["Properties"]["RetentionInDays"], group["DeletionPolicy"]) == (30, "Retain")


def test_no_task_starts_before_it_may_read_its_secrets() -> None:
    resources = with_domain().template["Resources"]
    (service,) = [r for r in resources.values() if r["Type"] == "AWS::ECS::Service"]
    role = with_domain().the("ECS::TaskDefinition")["ExecutionRoleArn"]["Fn::GetAtt"][0]
    policies = [
        name
        for name, r in resources.items()
        if r["Type"] == "AWS::IAM::Policy" and {"Ref": role} in r["Properties"]["Roles"]
    ]
    assert policies
    assert {role, *policies} <= set(service["DependsOn"])


def test_an_image_of_the_account_may_be_pulled_by_its_digest() -> None:
    assert f"/images@sha256:{'0' * 64}" in str(with_domain().container["Image"])
    allowed = [p["PolicyDocument"]["Statement"] for p in with_domain().of("IAM::Policy")]
    pulls = [s for statements in allowed for s in statements if "ecr:BatchGetImage" in s["Action"]]
    assert "arn:aws:ecr:us-east-1:123456789012:repository/images" in [s["Resource"] for s in pulls]
    assert "ecr:" not in str(default().of("IAM::Policy")), "a public image takes no permission"
