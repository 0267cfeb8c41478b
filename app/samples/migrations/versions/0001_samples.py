"""Samples, and what was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

IDENTIFIER = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "samples",
        sa.Column("id", IDENTIFIER, primary_key=True),
        sa.Column("time", MOMENT, nullable=False),
        sa.Column("alphabet", sa.String(255), nullable=False),
        sa.Column("label", sa.String(64)),
        sa.Column("reviewed", sa.Boolean, nullable=False),
        sa.Column("said", MOMENT, nullable=False, comment="when the label was given, or that there is none"),
        sa.Column("answer", sa.String(64)),
        sa.Column("confidence", sa.Double),
        sa.Column("model", sa.String(64)),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("visitor", sa.String(64), comment="SHA-256 of the visitor's token"),
        sa.Column("size", sa.Integer, nullable=False, comment="bytes of the picture"),
        sa.Column("sha256", sa.String(64), nullable=False, comment="of the picture"),
        sa.Column("picture", sa.LargeBinary, nullable=False),
    )
    op.create_index("samples_by_time", "samples", ["time", "id"])
    op.create_index("samples_by_visitor", "samples", ["visitor"])
    op.create_table(
        "deleted",
        sa.Column("id_sha256", sa.String(64), primary_key=True),
        sa.Column("time", MOMENT, nullable=False),
    )
    op.create_table(
        "forgotten",
        sa.Column("visitor", sa.String(64), primary_key=True),
        sa.Column("time", MOMENT, nullable=False),
    )
