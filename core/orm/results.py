"""Tables of the results of a job."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.orm.base import Base, BigKey

_HAS_WARNING = text("warning IS NOT NULL")  # few have one


class Result(Base):
    """The result of one image in one job: probabilities or an error code. Exactly one for each image.

    `class_index` is the class with the larger probability, `confidence` that probability in millionths. Whether it is
    shown as unsure depends on the job's threshold and is never stored. `heat` has a byte for each of 7 x 7 places, row
    by row: the class activation map (`model.inference.predictions`); only for networks with a feature map.
    `decoding` is the number of the rules that made its pixels (core/decoding/decoded.py); `error_detail` is what
    `ImageError` says about this file. `network` is the one that answered, if that is not the network of the job's
    version. `similarity_key` is near for pictures that look alike
    (core/decoding/similarity_order.py); 0 where unknown.
    """

    __tablename__ = "results"
    __table_args__ = (
        Index("ix_results_confidence", "job_id", "class_index", "confidence", "image_id"),
        Index("ix_results_doubt", "job_id", "confidence", "image_id"),
        Index("ix_results_looks", "job_id", "looks", "image_id"),
        Index("ix_results_warning", "job_id", "image_id", sqlite_where=_HAS_WARNING, postgresql_where=_HAS_WARNING),
        {"sqlite_with_rowid": False},
    )
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    image_id: Mapped[int] = mapped_column(BigKey, primary_key=True)  # no foreign key: checking it would need an index
    class_index: Mapped[int | None]
    confidence: Mapped[int | None]
    probabilities: Mapped[list[Any] | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    warning: Mapped[str | None]
    decoding: Mapped[int] = mapped_column(default=1, server_default="1")
    heat: Mapped[bytes | None]
    network: Mapped[str | None]
    similarity_key: Mapped[int] = mapped_column("looks", BigInteger, default=0, server_default="0")


class HistogramBin(Base):
    """How many good results of a job have this class on top with a confidence in this thousandth.

    `n_neither` of these `n` give more than half of the probability to none of the classes.
    """

    __tablename__ = "histogram_bins"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    class_index: Mapped[int] = mapped_column(primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]
    n_neither: Mapped[int] = mapped_column(default=0, server_default="0")
