"""The bucket that tasks take models from: who may do what there, and what is told."""

from typing import Any

from synth import INFRA, Synthesis, default, with_models


def policies(synthesis: Synthesis, role: str) -> dict[str, Any]:
    """What a role may do: action -> on what, and under which condition."""
    found = {}
    for policy in synthesis.of("IAM::Policy"):
        if policy["Roles"] == [{"Ref": role}]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                actions = statement["Action"]
                for action in actions if isinstance(actions, list) else [actions]:
                    found[action] = (keys(statement["Resource"]), statement.get("Condition"))
    return found


def keys(resources: Any) -> set[str]:
    """The keys within the bucket; empty: the bucket itself."""
    every = resources if isinstance(resources, list) else [resources]
    return {one["Fn::Join"][1][-1].removeprefix("/") if "Fn::Join" in one else "" for one in every}


def role(synthesis: Synthesis, output: str) -> str:
    name: str = synthesis.template["Outputs"][output]["Value"]["Fn::GetAtt"][0]
    return name


def test_without_the_option_nothing_of_it_is_there() -> None:
    assert len(default().of("S3::Bucket")) == 1
    assert not default().of("Logs::MetricFilter")
    assert not default().of("EC2::VPCEndpoint")
    assert "DIGITS_MODELS_BUCKET" not in str(default().container)


def test_the_bucket_keeps_everything_encrypted_and_to_itself() -> None:
    (bucket,) = [b for b in with_models().of("S3::Bucket") if "VersioningConfiguration" in b]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert "BucketEncryption" in bucket
    (resource,) = [r for r in with_models().template["Resources"].values() if r.get("Properties") == bucket]
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


def test_only_over_tls_and_nothing_is_overwritten_unawares() -> None:
    (policy,) = [p for p in with_models().of("S3::BucketPolicy") if "s3:if-none-match" in str(p)]
    denied = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denied]
    writes = [(keys(s["Resource"]), s["Condition"]["Null"]) for s in denied if s["Action"] == "s3:PutObject"]
    assert writes == [
        ({"current.json", "training/*"}, {"s3:if-match": "true", "s3:if-none-match": "true"}),
        ({"models/*"}, {"s3:if-none-match": "true"}),
    ]


def test_a_task_reads_there_through_the_endpoint_and_does_nothing_else() -> None:
    task = with_models().the("ECS::TaskDefinition")["TaskRoleArn"]["Fn::GetAtt"][0]
    may = policies(with_models(), task)
    assert {action: on for action, (on, _) in may.items()} == {
        "s3:GetObject": {"current.json", "models/*"},
        "s3:ListBucket": {""},
    }
    (endpoint,) = [
        name for name, r in with_models().template["Resources"].items() if r["Type"] == "AWS::EC2::VPCEndpoint"
    ]
    for _, condition in may.values():
        assert condition == {"StringEquals": {"aws:SourceVpce": {"Ref": endpoint}}}
    assert with_models().the("EC2::VPCEndpoint")["VpcEndpointType"] == "Gateway"
    tables = [r["SubnetId"] for r in with_models().of("EC2::SubnetRouteTableAssociation")]
    assert len(with_models().the("EC2::VPCEndpoint")["RouteTableIds"]) == len(tables) / 2, "of the tasks' subnets"


def test_who_trains_may_add_and_who_promotes_may_choose() -> None:
    trainer = policies(with_models(), role(with_models(), "ModelTrainerRole"))
    promoter = policies(with_models(), role(with_models(), "ModelPromoterRole"))
    assert {action: on for action, (on, _) in trainer.items()} == {
        "s3:GetObject": {"models/*"},
        "s3:ListBucket": {""},
        "s3:PutObject": {"models/*"},
    }
    assert {action: on for action, (on, _) in promoter.items()} == {
        "s3:GetObject": {"current.json", "models/*"},
        "s3:ListBucket": {""},
        "s3:PutObject": {"current.json"},
    }


def test_tasks_are_told_where_to_look() -> None:
    settings = {entry["Name"]: entry["Value"] for entry in with_models().container["Environment"]}
    assert settings["DIGITS_MODELS_BUCKET"]["Fn::Join"][1][0] == "s3://"
    assert settings["AWS_REGION"] == "us-east-1"


def test_what_the_log_says_of_models_is_counted_and_told() -> None:
    """By the very words that the API writes."""
    said = "".join((INFRA.parent / "app" / "api" / name).read_text() for name in ("models.py", "released.py"))
    names = set()
    for counter in with_models().of("Logs::MetricFilter"):
        assert counter["FilterPattern"].strip('"') in said
        (figure,) = counter["MetricTransformations"]
        names.add(figure["MetricName"])
    alarms = {a["MetricName"]: a for a in with_models().of("CloudWatch::Alarm") if a["MetricName"] in names}
    assert set(alarms) == names == {"ModelsRefused", "ModelsAway"}
    assert alarms["ModelsRefused"]["Threshold"] == 0
    assert all(alarm["AlarmActions"] and alarm["TreatMissingData"] == "notBreaching" for alarm in alarms.values())
