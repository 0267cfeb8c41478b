"""Run by Alembic, inside of the transaction of `app.samples.migration`."""

from alembic import context

from app.samples.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
