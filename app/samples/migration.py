"""Bring a database to today's schema, whoever else does so at the same moment."""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from app.samples.database import Database
from app.samples.errors import Unavailable

HEAD: Final = "0001"
"""The last file in `migrations/versions`: of two schemas the later one has the higher number.

Each only adds to the one before, so that the version of the app before it goes on with it.
"""

FOLDER: Final = Path(__file__).parent / "migrations"

log = logging.getLogger(__name__)


def migrate(database: Database) -> None:
    """Make or change its tables where they are not as this version has them.

    Raises Unavailable, also where a later version of this app has changed them.
    """
    with database.reading() as connection:
        known = version(connection)
    if known == HEAD:
        return
    with database.writing() as connection:  # alone: others that start at this moment wait, and find nothing to do
        known = version(connection)
        if known != HEAD:
            _upgrade(connection, known)


def check(database: Database) -> None:
    """Leave it as it is. Raises Unavailable where it lacks what this version needs; a later one has that, and more."""
    with database.reading() as connection:
        known = version(connection)
    if known is None or known < HEAD:
        raise Unavailable(
            f"The samples' database has the schema {known or 'of nothing'}, and this version needs {HEAD}: "
            "python -m app.samples migrate, as its owner, brings it there."
        )


def version(connection: Connection) -> str | None:
    """Which schema a database has; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: Connection, known: str | None) -> None:
    from alembic import command  # not before it is needed: it takes 12 MB
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise Unavailable(f"The samples' database has the schema {known}, which this version does not know.") from None
    log.info("The samples' database has a new schema.", extra={"fields": {"before": known, "schema": HEAD}})
