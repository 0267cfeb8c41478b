"""Who may deploy."""

from typing import Any

from synth import default, synthesize, with_domain

GITHUB = "token.actions.githubusercontent.com"


def deploy_role() -> tuple[str, dict[str, Any]]:
    ((name, role),) = [
        (name, r["Properties"])
        for name, r in with_domain().template["Resources"].items()
        if r["Type"] == "AWS::IAM::Role" and "GitHub" in r["Properties"].get("Description", "")
    ]
    return name, role


def test_only_this_repository_environment_and_branch() -> None:
    (statement,) = deploy_role()[1]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {
            f"{GITHUB}:aud": "sts.amazonaws.com",
            f"{GITHUB}:sub": "repo:owner@12/name@34:environment:production",
            f"{GITHUB}:ref": "refs/heads/main",
        }
    }


def test_it_may_do_little_and_only_where_it_must() -> None:
    name, _ = deploy_role()
    (policy,) = [p for p in with_domain().of("IAM::Policy") if {"Ref": name} in p["Roles"]]
    statements = policy["PolicyDocument"]["Statement"]
    actions = {a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    assert actions == {
        "sts:AssumeRole",
        "cloudformation:DescribeStacks",
        "secretsmanager:GetSecretValue",
        "secretsmanager:DescribeSecret",
        "ecr:GetAuthorizationToken",
        "ecr:DescribeImageScanFindings",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    }
    anywhere = [s["Action"] for s in statements if "*" in str(s["Resource"])]
    assert anywhere == ["ecr:GetAuthorizationToken"], "which AWS grants for no repository alone"


def test_no_repository_no_role() -> None:
    assert not default().of("IAM::OIDCProvider")
    assert "DeployRole" not in default().template["Outputs"]


def test_the_provider_outlives_the_stack_since_the_account_has_only_one() -> None:
    (provider,) = [r for r in with_domain().template["Resources"].values() if r["Type"] == "AWS::IAM::OIDCProvider"]
    assert provider["DeletionPolicy"] == "Retain"


def test_a_provider_that_the_account_has_is_used() -> None:
    arn = f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"
    synthesis = synthesize(github_repository="owner/name", github_oidc_provider_arn=arn)
    assert not synthesis.of("IAM::OIDCProvider")
    assert arn in str(synthesis.of("IAM::Role"))
