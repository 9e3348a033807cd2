"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from core.base.clock import Instant

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
runs_beside_old_workers = True  # False if what they write while they finish would be wrong


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
