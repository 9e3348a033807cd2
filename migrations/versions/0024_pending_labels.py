"""Labels of folders that do not count yet, and the upload that each folder's label came with.

Labels of uploads whose trainings all ended without a version are withdrawn. A retry lets them count again.
"""

import sqlalchemy as sa
from alembic import op

from core.base.clock import db_now

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
runs_beside_old_workers = True

given = sa.text("upload_id IS NOT NULL")

# The shard is written before its labels, in the same transaction: the last one before a label brought it.
FIND_UPLOADS = """
UPDATE labels SET upload_id = (
    SELECT shards.upload_id FROM images
    JOIN shards ON shards.id = images.shard_id
    JOIN uploads ON uploads.id = shards.upload_id
    WHERE images.sha256 = labels.sha256 AND uploads.labelled AND shards.created_at <= labels.created_at
    ORDER BY shards.created_at DESC, shards.id DESC LIMIT 1
) WHERE source = 'folder'
"""
MARK_UPLOADS = """
UPDATE uploads SET for_training = :yes
WHERE labelled AND deleted_at IS NULL
AND id IN (SELECT upload_id FROM training_uploads)
AND id NOT IN (SELECT upload_id FROM jobs WHERE upload_id IS NOT NULL)
AND id NOT IN (
    SELECT training_uploads.upload_id FROM training_uploads JOIN jobs ON jobs.id = training_uploads.job_id
    WHERE jobs.state NOT IN ('cancelled', 'failed')
)
"""
KEEP_PENDING = """
INSERT INTO pending_labels (upload_id, sha256, label, user_id)
SELECT labels.upload_id, labels.sha256, labels.label, labels.user_id
FROM labels JOIN uploads ON uploads.id = labels.upload_id WHERE uploads.for_training ORDER BY labels.id
"""


def upgrade() -> None:
    op.add_column("labels", sa.Column("upload_id", sa.Integer()))
    op.create_index("ix_labels_upload_id", "labels", ["upload_id", "id"], sqlite_where=given, postgresql_where=given)
    op.add_column("uploads", sa.Column("for_training", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "pending_labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_pending_labels"),
    )
    op.create_index("ix_pending_labels_upload_id", "pending_labels", ["upload_id"])
    op.create_index("ix_pending_labels_sha256", "pending_labels", ["sha256", "upload_id"])
    bind = op.get_bind()
    bind.execute(sa.text(FIND_UPLOADS))
    bind.execute(sa.text(MARK_UPLOADS), {"yes": True})
    bind.execute(sa.text(KEEP_PENDING))
    bind.execute(_withdraw())


def _withdraw() -> sa.Insert:
    names = ("sha256", "label", "source", "created_at", "upload_id", "undoes_id")
    labels = sa.table("labels", *map(sa.column, ("id", *names)))
    uploads = sa.table("uploads", sa.column("id"), sa.column("for_training", sa.Boolean()))
    mine = labels.c.upload_id.in_(sa.select(uploads.c.id).where(uploads.c.for_training))
    row = (labels.c.sha256, sa.null(), labels.c.source, db_now(), labels.c.upload_id, labels.c.id)
    return sa.insert(labels).from_select(names, sa.select(*row).where(mine).order_by(labels.c.id))


def downgrade() -> None:
    op.drop_table("pending_labels")
    op.drop_column("uploads", "for_training")
    op.drop_index("ix_labels_upload_id", "labels")
    op.drop_column("labels", "upload_id")
