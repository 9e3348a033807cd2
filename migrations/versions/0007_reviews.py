"""Labels with keys, in batches and audits, and undone; claims of reviewers; audits."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
runs_beside_old_workers = True

NEW_COLUMNS = ("batch_id", "audit_id", "undoes_id")


def upgrade() -> None:
    op.add_column("labels", sa.Column("key", sa.Uuid(), nullable=True))
    op.create_index("ix_labels_key", "labels", ["key"], unique=True)
    for name in NEW_COLUMNS:
        op.add_column("labels", sa.Column(name, sa.Integer(), nullable=True))
        given = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_labels_{name}", "labels", [name, "id"], sqlite_where=given, postgresql_where=given)
    _create_batches()
    op.create_table(
        "review_claims",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reviewer", sa.Uuid(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=False),
        sa.Column("skipped_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("job_id", "audit_id", "image_id"),
        sqlite_with_rowid=False,
    )
    _create_audits()


def _create_batches() -> None:
    op.create_table(
        "label_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("threshold_milli", sa.Integer(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("undo_of_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("n_labels", sa.Integer(), nullable=False),
        sa.Column("n_skipped", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["undo_of_id"], ["label_batches.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
        sa.UniqueConstraint("undo_of_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_label_batches_job_id", "label_batches", ["job_id", "id"])


def _create_audits() -> None:
    op.create_table(
        "audits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("n_images", sa.Integer(), nullable=False),
        sa.Column("n_population", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audits_job_id", "audits", ["job_id", "id"])
    op.create_table(
        "audit_pictures",
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"]),
        sa.PrimaryKeyConstraint("audit_id", "position"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("audit_pictures", "audits", "review_claims", "label_batches"):
        op.drop_table(table)
    for name in (*NEW_COLUMNS, "key"):
        op.drop_index(f"ix_labels_{name}", "labels")
        op.execute(f"ALTER TABLE labels DROP COLUMN {name}")
