"""Predictions of versions on the test split; deleted versions; trainings that keep the best epoch when cancelled."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("trainings", sa.Column("keeps_best", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("model_versions", sa.Column("deleted_at", Instant(), nullable=True))
    op.add_column("model_versions", sa.Column("purged_at", Instant(), nullable=True))
    op.create_table(
        "judgements",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("p_label", sa.Integer(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["model_versions.id"]),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("version_id", "sha256"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_judgements_sha256", "judgements", ["sha256"])
    op.create_index("ix_judgements_confidence", "judgements", ["version_id", "confidence", "sha256"])
    op.create_index("ix_judgements_p_label", "judgements", ["version_id", "p_label", "sha256"])


def downgrade() -> None:
    op.drop_table("judgements")
    op.execute("ALTER TABLE model_versions DROP COLUMN purged_at")
    op.execute("ALTER TABLE model_versions DROP COLUMN deleted_at")
    op.execute("ALTER TABLE trainings DROP COLUMN keeps_best")
