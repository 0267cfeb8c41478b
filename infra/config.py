"""What a deployment may choose. Every value comes from CDK context: cdk.json or `cdk -c key=value`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)


def spelt(pattern: str, accepted: str) -> AfterValidator:
    """Demand that a string match `pattern`; `accepted` says in words what does."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {accepted}")
        return value

    return AfterValidator(check)


Image = Annotated[
    str,
    # `latest` would change under a running service without a deployment.
    spelt(
        r"[a-z0-9][a-z0-9._/-]*(:(?!latest$)\w[\w.-]{0,127}|@sha256:[0-9a-f]{64})",
        "an image with a tag other than latest, name:1.2.3, or a digest, name@sha256:...",
    ),
]
Domain = Annotated[str, spelt(r"([a-z0-9-]+\.)+[a-z]{2,}", "a domain name such as digits.example.com")]
Email = Annotated[str, spelt(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
Arn = Annotated[str, spelt(r"arn:aws[\w-]*:\S+", "an ARN, arn:aws:...")]
Guests = Annotated[
    str,
    spelt(
        r"\s*([^@\s,]+@)?([\w-]+\.)+\w+\s*(,\s*([^@\s,]+@)?([\w-]+\.)+\w+\s*)*",
        "domains and e-mail addresses, separated by commas, such as example.org, ada@example.com",
    ),
]
Schedule = Annotated[
    str, spelt(r"(cron|rate)\([^()]+\)", "a schedule of EventBridge's, cron(23 3 ? * MON *) or rate(7 days), in UTC")
]
Repository = Annotated[
    str, spelt(r"[\w.-]+(@\d+)?/[\w.-]+(@\d+)?", "owner/name or, with the ids of both, owner@1234/name@5678")
]


SERVERLESS = {"serverless", "max_concurrency", "image", "arm64", "alarm_email", "monthly_budget_usd"}
"""What a function may be given; of an image, which the pipeline always names, it makes nothing."""


class ConfigError(ValueError):
    """Context that cannot be used. The message names each key and says what it accepts."""


class Config(BaseModel):
    """`None` and `False` mean "not wanted"; the table in README.md says what each value does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serverless: bool = False
    image: Annotated[Image | None, Field(validate_default=True)] = None
    arm64: bool = False
    min_tasks: Annotated[int, Field(ge=1)] = 2
    max_tasks: Annotated[int, Field(ge=1)] = 4
    max_concurrency: Annotated[int, Field(ge=0)] = 10
    require_api_key: bool = True
    domain_name: Domain | None = None
    hosted_zone_id: str | None = None
    cloudfront: bool = True
    sign_in_secret_arn: Arn | None = None
    sign_in_allowed: Guests | None = None
    alarm_email: Email | None = None
    models: bool = False
    outside_check: bool = False
    state: bool = False
    training_image: Image | None = None
    training_schedule: Schedule = "cron(23 3-5 ? * MON *)"
    monthly_budget_usd: Annotated[int, Field(ge=1)] | None = None
    github_repository: Repository | None = None
    github_oidc_provider_arn: Arn | None = None

    @field_validator("image")
    @classmethod
    def given(cls, image: str | None, known: ValidationInfo) -> str | None:
        if image is None and not known.data.get("serverless"):
            raise ValueError(
                "none is given. Name the one to run, --context image=..., "
                "or the one that runs now, the output Image of the stack"
            )
        return image

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if self.serverless and (others := self.model_fields_set - SERVERLESS):
            raise ValueError(f"serverless has no {', '.join(sorted(others))}; it takes {', '.join(sorted(SERVERLESS))}")
        if self.min_tasks > self.max_tasks:
            raise ValueError("max_tasks must be at least min_tasks")
        if (self.domain_name is None) != (self.hosted_zone_id is None):
            raise ValueError("domain_name and hosted_zone_id go together")
        if self.domain_name and self.cloudfront and "cloudfront" in self.model_fields_set:
            raise ValueError("choose domain_name or cloudfront: with a domain the load balancer serves HTTPS itself")
        if self.sign_in_secret_arn and not (self.domain_name or self.cloudfront):
            raise ValueError("sign_in_secret_arn needs HTTPS: give domain_name, or cloudfront=true")
        if (self.sign_in_secret_arn is None) != (self.sign_in_allowed is None):
            raise ValueError("sign_in_secret_arn and sign_in_allowed, who may enter, go together")
        if self.outside_check and not (self.domain_name or self.cloudfront):
            raise ValueError("outside_check asks over HTTPS: give domain_name, or cloudfront=true")
        if self.training_image and not (self.models and self.state and (self.domain_name or self.cloudfront)):
            raise ValueError("training_image needs models and state, and HTTPS: domain_name, or cloudfront=true")
        if "training_schedule" in self.model_fields_set and not self.training_image:
            raise ValueError("training_schedule needs training_image, what is to be run")
        if self.monthly_budget_usd and not self.alarm_email:
            raise ValueError("monthly_budget_usd needs alarm_email, the address to warn")
        return self

    @property
    def behind_cloudfront(self) -> bool:
        return self.cloudfront and not self.domain_name

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Read the context of an app; an empty value counts as not given, so that `-c alarm_email=` works.

        Raises ConfigError for a value out of range and for a key that is not ours: a misspelt
        key would otherwise be a setting silently lost. Keys with ":" or "/" are CDK's own.
        """
        given = {key: value for key, value in context.items() if not {":", "/"} & set(key) and value not in ("", None)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError("\n".join(map(in_words, error.errors()))) from None

    def differences(self, committed: Mapping[str, Any]) -> list[str]:
        """The settings, but for the image, that are not those of another context."""
        other = self.from_context({**committed, "image": "of:no-account"})
        names = [name for name in type(self).model_fields if name != "image"]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


def in_words(problem: Mapping[str, Any]) -> str:
    match problem:
        case {"type": "extra_forbidden", "loc": (key,)}:
            return f"context {key}: there is no such setting; there are {', '.join(Config.model_fields)}"
        case {"loc": (key,), "msg": message}:
            return f"context {key}: {message.removeprefix('Value error, ')}"
        case _:
            return f"context: {problem['msg'].removeprefix('Value error, ')}"
