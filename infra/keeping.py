"""How tasks keep samples: the database's migration before them, their settings and rights, and what is watched."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from database import APP, GIGABYTES, OWNER, Database
from keys import admin_keys
from service import Service
from tasks import add_confined
from watching import Watch, said

MEGABYTES = 10_000
LATE = "Samples have waited in the outbox for too long."


class Keeping(Construct):
    """No task's app starts before the same image has brought the database to the schema that it needs.

    A migration that fails so fails the deployment, and ECS goes back. The migration only ever adds, so that the version
    before finds all that it knows. Where the database does not answer at all, a task starts nevertheless: what is drawn
    waits in the outbox, on the task's own volume, until the schema is right.
    """

    def __init__(self, scope: Construct, id: str, *, service: Service, database: Database, image: str) -> None:
        super().__init__(scope, id)
        self.admin_keys = admin_keys(self)
        task = service.fargate.task_definition
        app = task.default_container
        assert app is not None
        settings = {
            "DIGITS_SAMPLES_DATABASE": database.address(APP),
            "DIGITS_SAMPLES_IAM_REGION": Stack.of(self).region,
            "DIGITS_SAMPLES_MIGRATE": "false",
            "DIGITS_SAMPLES_MEGABYTES": str(MEGABYTES),
            "DIGITS_SAMPLES_OUTBOX": "/tmp/samples-outbox.sqlite3",  # noqa: S108 - the task's own volume
        }
        for name, value in settings.items():
            app.add_environment(name, value)
        app.add_secret("DIGITS_ADMIN_KEYS", ecs.Secret.from_secrets_manager(self.admin_keys))
        database.instance.grant_connect(task.task_role, APP)

        migration = add_confined(
            self,
            task,
            "migrate",
            image,
            command=["python", "-m", "app.samples", "migrate", "--roles", "--wait", "30"],
            essential=False,
            environment={"DIGITS_SAMPLES_DATABASE": database.address(OWNER)},
            secrets={"PGPASSWORD": ecs.Secret.from_secrets_manager(database.owner_secret, "password")},
            logging=ecs.LogDriver.aws_logs(stream_prefix="migrate", log_group=service.log_group),
        )
        app.add_container_dependencies(
            ecs.ContainerDependency(container=migration, condition=ecs.ContainerDependencyCondition.SUCCESS)
        )
        self.watched = self._watched(service.log_group, database)

    def _watched(self, log_group: logs.ILogGroup, database: Database) -> list[Watch]:
        five = Duration.minutes(5)
        return [
            Watch(
                "DatabaseConnections",
                database.instance.metric_database_connections(statistic="Maximum", period=five),
                above=60,
                why="More than 60 connections to the samples' database, which takes about 80.",
            ),
            Watch(
                "DatabaseStorage",
                database.instance.metric_free_storage_space(statistic="Minimum", period=five),
                below=GIGABYTES * 1e9 / 10,
                why="Less than a tenth of the storage of the samples' database is free.",
            ),
            Watch(
                "LateSamples",
                said(self, "Late", log_group=log_group, phrase=LATE, metric_name="LateSamples"),
                above=0,
                why="Samples have waited in a task's outbox for more than 10 minutes; they are lost if it ends.",
            ),
        ]
