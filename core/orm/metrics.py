"""The table of counters of all processes (core/operations/metrics.py)."""

from sqlalchemy.orm import Mapped, mapped_column

from core.orm.base import Base


class MetricValue(Base):
    """The sum over all processes of what was counted under a name and its labels. Never falls."""

    __tablename__ = "measures"
    __table_args__ = ({"sqlite_with_rowid": False},)
    name: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]
