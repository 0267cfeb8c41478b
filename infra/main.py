"""The CDK app: `cdk deploy` runs this file, see cdk.json."""

import json
import os
import sys
from pathlib import Path

from aws_cdk import Annotations, App, Environment, Stack, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from config import Config, ConfigError
from serverless import ServerlessStack
from stack import DigitsStack
from state import StateStack

COMMITTED = json.loads(Path(__file__).with_name("cdk.json").read_text())["context"]


def build(app: App) -> Stack:
    config = Config.from_context(app.node.get_all_context())
    env = Environment(
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
        region=os.environ.get("CDK_DEFAULT_REGION", "us-east-1"),
    )
    stack: Stack
    if config.serverless:
        description = "Digit recognition: the API on Lambda"
        stack = ServerlessStack(app, "DigitRecognitionApi", config=config, description=description, env=env)
    else:
        state = None
        if config.state:
            description = "Digit recognition: network and samples"
            state = StateStack(app, "DigitRecognitionState", description=description, env=env)
        description = "Digit recognition: page and API on Fargate"
        stack = DigitsStack(app, "DigitRecognition", config=config, state=state, description=description, env=env)
    if strays := config.differences(COMMITTED):
        Annotations.of(stack).add_warning_v2(
            "digits:not-committed",
            f"{', '.join(strays)}: not as in cdk.json, from which the pipeline deploys next. Write it there.",
        )
    Tags.of(app).add("app", "digit-recognition")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return stack


if __name__ == "__main__":
    app = App()
    try:
        build(app)
    except ConfigError as error:
        sys.exit(str(error))
    app.synth()
