"""Images that take long to decode: a limited time for each upload, so that one folder cannot keep workers busy."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.base.database import change
from core.orm.uploads import Shard, Upload

BUDGET_S = 60.0  # processor time for all slow images of one upload


def read_budget(session: Session, shard_id: int) -> float:
    """Processor seconds that the slow images of a shard's upload may still take; 0.0 if none are left."""
    query = select(Upload.slow_decode_s).join(Shard, Shard.upload_id == Upload.id).where(Shard.id == shard_id)
    return max(0.0, BUDGET_S - session.scalars(query).one())


def add_spent(session: Session, shard_id: int, cpu_s: float) -> None:
    """Add processor seconds that a slow image has taken."""
    upload_id = select(Shard.upload_id).where(Shard.id == shard_id).scalar_subquery()
    spent = update(Upload).where(Upload.id == upload_id).values(slow_decode_s=Upload.slow_decode_s + cpu_s)
    change(session, spent)
