"""Training jobs: parts of contents, parameters and leases, epochs."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_table(
        "parts",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trainings",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("data_key", sa.String(), nullable=True),
        sa.Column("state_key", sa.String(), nullable=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("n_steps", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_table(
        "training_uploads",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"]),
        sa.PrimaryKeyConstraint("job_id", "upload_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_training_uploads_upload_id", "training_uploads", ["upload_id"])
    op.create_table(
        "epochs",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=False),
        sa.Column("accuracy", sa.Double(), nullable=False),
        sa.Column("val_loss", sa.Double(), nullable=False),
        sa.Column("val_accuracy", sa.Double(), nullable=False),
        sa.Column("learning_rate", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("images_per_s", sa.Double(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("job_id", "number"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("epochs", "training_uploads", "trainings", "parts"):
        op.drop_table(table)
