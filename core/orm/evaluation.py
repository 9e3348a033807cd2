"""The tables of predictions on the test split and of label quality reports (`judgements`, `studies`)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base


class Prediction(Base):
    """The prediction of a version for a content of the test split, with its label. One for each version and content.

    `class_index` and `confidence` as in `Result`; `p_label` is the probability of the label, in millionths.
    `job_id` is the evaluation; it replaces all predictions of the same version by an earlier one. `decoding` is the
    number of the rules that made the pixels (core/decoding/decoded.py).
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
    decoding: Mapped[int] = mapped_column(default=1, server_default="1")


class LabelQualityReport(Base):
    """What one check of the labels found.

    `curve` has the learning curve and the forecast from it; `suspects` the labels that are probably wrong, most
    suspicious first; `wanted` the unlabelled images that training would gain most from, best first.
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
