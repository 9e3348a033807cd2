"""Conversions: the bodies of versions as LiteRT runs them."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_table(
        "conversions",
        sa.Column("model_version_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String()),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_versions.id"], name="fk_conversions_model_version_id_model_versions"
        ),
        sa.PrimaryKeyConstraint("model_version_id", name="pk_conversions"),
    )
    op.create_index("ix_conversions_digest", "conversions", ["digest"])


def downgrade() -> None:
    op.drop_table("conversions")
