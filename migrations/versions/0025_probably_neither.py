"""Count in the histogram of each job which pictures are probably neither.

Those of earlier jobs are counted from their probabilities: one range of an index for each bin, and only results below
half of the confidence, since no other can leave more than half for neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
runs_beside_old_workers = False  # old workers would count nothing as probably neither

HALF = 500  # thousandths
ROUNDING = 0.5e-6

bins = sa.table("histogram_bins", *map(sa.column, ("job_id", "class_index", "bin", "n", "n_neither")))
results = sa.table(
    "results", *map(sa.column, ("job_id", "class_index", "confidence")), sa.column("probabilities", sa.JSON())
)


def upgrade() -> None:
    op.add_column("histogram_bins", sa.Column("n_neither", sa.Integer(), server_default="0", nullable=False))
    counted = (
        sa.select(sa.func.count())
        .select_from(results)
        .where(results.c.job_id == bins.c.job_id, results.c.class_index == bins.c.class_index)
        .where(results.c.confidence.between(bins.c.bin * 1000, bins.c.bin * 1000 + 999))
        .where(_share(0) + _share(1) < 0.5 - ROUNDING)
    )
    op.execute(sa.update(bins).where(bins.c.bin < HALF).values(n_neither=counted.scalar_subquery()))


def _share(index: int) -> sa.ColumnElement[float]:
    share: sa.ColumnElement[float] = results.c.probabilities[index].as_float()
    return share


def downgrade() -> None:
    op.drop_column("histogram_bins", "n_neither")
