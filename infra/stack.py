"""The whole deployment, composed: network, front door, service, watching, budget, delivery."""

from typing import Any

from aws_cdk import CfnOutput
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from budget import Budget
from config import Config
from delivery import Delivery
from front_door import FrontDoor
from keeping import Keeping
from keys import api_key
from models import Models
from network import Network, TwoZones
from service import Service
from state import StateStack
from training import Training
from watching import Watching

SIGN_IN_FIELDS = ("client_id", "client_secret", "cookie_secret", "metadata_url")


class DigitsStack(TwoZones):
    def __init__(
        self, scope: Construct, id: str, *, config: Config, state: StateStack | None, **stack_options: Any
    ) -> None:
        super().__init__(scope, id, **stack_options)
        assert config.image, "Config has seen to it"
        network = state.network if state else Network(self, "Network")
        front = FrontDoor(
            self,
            "FrontDoor",
            vpc=network.vpc,
            domain_name=config.domain_name,
            hosted_zone_id=config.hosted_zone_id,
            behind_cloudfront=config.behind_cloudfront,
        )

        settings = {"DIGITS_TRUSTED_PROXIES": str(front.trusted_proxies)}
        secrets: dict[str, ecs.Secret] = {}
        key = api_key(self) if config.require_api_key else None
        if key:
            secrets["DIGITS_API_KEYS"] = ecs.Secret.from_secrets_manager(key)
        if config.sign_in_secret_arn and config.sign_in_allowed:
            settings["DIGITS_OIDC_ALLOWED"] = config.sign_in_allowed
            settings["DIGITS_OIDC_REDIRECT_URI"] = f"{front.address}/oauth2callback"
            secrets |= self._sign_in(config.sign_in_secret_arn)

        models = Models(self, "Models", vpc=network.vpc, subnets=network.task_subnets) if config.models else None
        if models:
            settings |= models.settings

        service = Service(
            self,
            "Service",
            vpc=network.vpc,
            subnets=network.task_subnets,
            image=config.image,
            arm64=config.arm64,
            settings=settings,
            secrets=secrets,
            page=front.page,
            api=front.api,
            min_tasks=config.min_tasks,
            max_tasks=config.max_tasks,
            also_in=[state.database.clients] if state else [],
        )
        keeping = (
            Keeping(self, "Keeping", service=service, database=state.database, image=config.image) if state else None
        )
        if models:
            models.let_read(service.fargate.task_definition.task_role)
        watching = Watching(
            self,
            "Watching",
            load_balancer=front.load_balancer,
            page=front.page,
            api=front.api,
            service=service.fargate,
            email=config.alarm_email,
            ask_from_outside=front.host if config.outside_check else None,
            more=[
                *(models.watched(service.log_group) if models else []),
                *(keeping.watched if keeping else []),
            ],
        )
        if config.training_image and models and keeping:
            Training(
                self,
                "Training",
                image=config.training_image,
                arm64=config.arm64,
                schedule=config.training_schedule,
                cluster=service.cluster,
                models=models,
                address=front.address,
                admin_keys=keeping.admin_keys,
                topic=watching.topic,
            )
        if config.monthly_budget_usd and config.alarm_email:
            Budget(self, "Budget", usd=config.monthly_budget_usd, email=config.alarm_email)

        outputs = {
            "Address": front.address,
            "Image": config.image,
            "Dashboard": watching.dashboard.dashboard_name,
        }
        if key:
            outputs["ApiKeySecret"] = key.secret_arn
        if keeping:
            outputs["AdminKeySecret"] = keeping.admin_keys.secret_arn
        if models:
            outputs["ModelsBucket"] = models.bucket.bucket_name
            outputs["ModelTrainerRole"] = models.trainer.role_arn
            outputs["ModelPromoterRole"] = models.promoter.role_arn
        if config.github_repository:
            delivery = Delivery(
                self,
                "Delivery",
                repository=config.github_repository,
                provider_arn=config.github_oidc_provider_arn,
                api_key=key,
            )
            outputs["DeployRole"] = delivery.role.role_arn
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _sign_in(self, secret_arn: str) -> dict[str, ecs.Secret]:
        provider = secretsmanager.Secret.from_secret_complete_arn(self, "SignIn", secret_arn)
        return {
            f"DIGITS_OIDC_{field.upper()}": ecs.Secret.from_secrets_manager(provider, field) for field in SIGN_IN_FIELDS
        }
