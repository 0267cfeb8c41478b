import pytest

from config import Config, ConfigError

IMAGE = "someone/digits:1.0.0"


def test_values_from_the_command_line_become_typed() -> None:
    config = Config.from_context({"image": IMAGE, "arm64": "true", "min_tasks": "3", "alarm_email": ""})
    assert (config.arm64, config.min_tasks, config.alarm_email) == (True, 3, None)


def test_keys_of_the_cdk_itself_are_let_be() -> None:
    assert Config.from_context({"image": IMAGE, "@aws-cdk/core:flag": True, "aws:cdk:bundling": []}).image == IMAGE


@pytest.mark.parametrize("image", ["digits:2026-11", f"docker.io/a/digits@sha256:{'0' * 64}"])
def test_an_image_is_named_by_tag_or_digest(image: str) -> None:
    assert Config.from_context({"image": image}).image == image


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"image": "digits"}, "context image: must be an image with a tag other than latest"),
        ({"image": "digits:latest"}, "context image: must be an image with a tag other than latest"),
        ({"alarm_emial": "a@b.c"}, "context alarm_emial: there is no such setting; there are serverless, image, "),
        ({"alarm_email": "nobody"}, "context alarm_email: must be an e-mail address"),
        ({"github_repository": "https://github.com/a/b"}, "context github_repository: must be owner/name"),
        ({"min_tasks": "0"}, "context min_tasks: Input should be greater than or equal to 1"),
        ({"min_tasks": 5}, "context: max_tasks must be at least min_tasks"),
        ({"domain_name": "digits.example.com"}, "context: domain_name and hosted_zone_id go together"),
        ({"image": ""}, "context image: none is given. Name the one to run"),
        ({"sign_in_secret_arn": "arn:aws:x"}, "context: sign_in_secret_arn and sign_in_allowed"),
        ({"sign_in_allowed": "everybody"}, "context sign_in_allowed: must be domains and e-mail addresses"),
        ({"outside_check": "true", "cloudfront": "false"}, "context: outside_check asks over HTTPS"),
        (
            {"domain_name": "digits.example.com", "hosted_zone_id": "Z1", "cloudfront": "true"},
            "context: choose domain_name or cloudfront",
        ),
        (
            {"sign_in_secret_arn": "arn:aws:secretsmanager:x", "cloudfront": "false"},
            "context: sign_in_secret_arn needs HTTPS",
        ),
        (
            {"serverless": "true", "min_tasks": "1"},
            "context: serverless has no min_tasks; it takes alarm_email, ",
        ),
        ({"serverless": "true", "max_concurrency": "-1"}, "context max_concurrency: Input should be greater than or "),
        ({"training_image": "someone/training:1"}, "context: training_image needs models and state, and HTTPS"),
        ({"training_schedule": "rate(7 days)"}, "context: training_schedule needs training_image"),
        ({"training_schedule": "mondays"}, "context training_schedule: must be a schedule of EventBridge's"),
        ({"monthly_budget_usd": "60"}, "context: monthly_budget_usd needs alarm_email"),
    ],
)
def test_what_cannot_be_used_is_named(context: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_context({"image": IMAGE, **context})
    assert str(caught.value).startswith(said)


def test_a_function_takes_no_image() -> None:
    assert Config.from_context({"serverless": "true"}).image is None


def test_https_comes_from_cloudfront_unless_there_is_a_domain() -> None:
    domain = {"domain_name": "digits.example.com", "hosted_zone_id": "Z1"}
    assert Config.from_context({"image": IMAGE}).behind_cloudfront
    assert not Config.from_context({"image": IMAGE, **domain}).behind_cloudfront
    assert not Config.from_context({"image": IMAGE, "cloudfront": "false"}).behind_cloudfront


def test_what_the_pipeline_would_take_back_is_found() -> None:
    config = Config.from_context({"image": IMAGE, "arm64": "true", "max_tasks": "6"})
    assert config.differences({"max_tasks": 6, "@aws-cdk/core:flag": True}) == ["arm64"]
    assert Config.from_context({"serverless": "true"}).differences({}) == ["serverless"]
