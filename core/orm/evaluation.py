"""Tables of predictions on the test split, and of what was found in the labels."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base


class Prediction(Base):
    """What a version says of a content of the judging part, beside what people say. One for each version and content.

    `class_index` and `confidence` as in `Result`; `p_label` is the probability, in millionths, of what people say.
    `job_id` is the job that judged: each replaces all that an earlier one said of the same version.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        Index("ix_judgements_sha256", "sha256"),
        Index("ix_judgements_confidence", "version_id", "confidence", "sha256"),
        Index("ix_judgements_p_label", "version_id", "p_label", "sha256"),
        {"sqlite_with_rowid": False},
    )
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    label: Mapped[str]
    class_index: Mapped[int]
    confidence: Mapped[int]
    p_label: Mapped[int]
    probabilities: Mapped[list[Any]]


class LabelQualityReport(Base):
    """What one look through the labels found.

    `curve` has the measured points and what follows from them; `suspects` the labels that are probably wrong, most
    suspicious first; `wanted` the images that would teach most, most wanted first.
    """

    __tablename__ = "studies"
    __table_args__ = ({"sqlite_autoincrement": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True, autoincrement=False)
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    n_labels: Mapped[int]
    curve: Mapped[dict[str, Any]]
    suspects: Mapped[list[Any]]
    wanted: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
