"""Who may do what in the samples' database on a server, but for its owner, who alone changes its tables.

The roles have no password. On RDS they sign in through IAM; elsewhere whoever runs the server says how.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, text

APP: Final = "digits_app"
"""The API with its outbox, and what tends samples."""

TRAINER: Final = "digits_trainer"
"""Exports samples and learns from them."""

GRANTS: Final[Mapping[str, Mapping[str, Sequence[str]]]] = MappingProxyType(
    {
        APP: {
            "alembic_version": ["SELECT"],
            "samples": ["SELECT", "INSERT", "UPDATE (label, said, reviewed)", "DELETE"],
            "deleted": ["SELECT", "INSERT"],
            "forgotten": ["SELECT", "INSERT", "UPDATE (time)", "DELETE"],
        },
        TRAINER: {
            "alembic_version": ["SELECT"],
            "samples": ["SELECT"],
            "deleted": ["SELECT"],
        },
    }
)
"""By role and table, all that each may do."""


def grant(connection: Connection) -> None:
    """Make the roles where they are missing, and let them do this and nothing else.

    Args:
        connection: one that writes, of the tables' owner, who may make roles.
    """

    def run(statement: str) -> None:
        connection.execute(text(statement))

    def exists(role: str) -> bool:
        return bool(connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar())

    name = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    run(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    for role, tables in GRANTS.items():
        if not exists(role):
            run(f"CREATE ROLE {role} LOGIN")
        if exists("rds_iam"):
            run(f"GRANT rds_iam TO {role}")
        run(f"GRANT CONNECT ON DATABASE {name} TO {role}")
        run(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        for table, rights in tables.items():
            run(f"GRANT {', '.join(rights)} ON {table} TO {role}")
