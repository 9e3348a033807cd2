"""Tables of uploads, their shards and their images."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, false, func, literal_column, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from core.base.clock import db_now
from core.base.states import UploadState
from core.orm.base import Base, BigKey

PATH_START_CHARS = 500  # of up to 4 bytes: PostgreSQL's indexes take at most 2,704 bytes


class Upload(Base):
    """A set of images as a person sent it. `n_bytes` counts whole shards, or what is left of them.

    `discards` asks for the originals to go once they are classified, `discarded_at` says since when they count as gone
    (core/cleanup/discard_originals.py). `slow_decode_s` is the processor time that its slow images have taken
    (core/uploads/decode_budget.py). `for_training` lets the labels of its folders count only once a training accepts
    them (core/labels/folder_labels.py).
    """

    __tablename__ = "uploads"
    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    labelled: Mapped[bool]
    state: Mapped[str] = mapped_column(default=UploadState.RECEIVING)
    n_shards: Mapped[int] = mapped_column(default=0)
    n_images: Mapped[int] = mapped_column(default=0)
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    n_skipped: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    received_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    completed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    discards: Mapped[bool] = mapped_column(default=False, server_default=false())
    discarded_at: Mapped[datetime | None]
    for_training: Mapped[bool] = mapped_column(default=False, server_default=false())
    slow_decode_s: Mapped[float] = mapped_column(default=0.0, server_default="0")


class Shard(Base):
    """One tar of an upload, stored as one blob.

    `thumbnails_key` is the blob of small pictures that takes its place when originals are discarded, `is_gone` says
    that its own blob has been removed.
    """

    __tablename__ = "shards"
    __table_args__ = (UniqueConstraint("upload_id", "seq"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id"))
    seq: Mapped[int]
    blob_key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[bytes]
    n_bytes: Mapped[int]
    n_images: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    thumbnails_key: Mapped[str | None]
    is_gone: Mapped[bool] = mapped_column(default=False, server_default=false())


class Image(Base):
    """One file of a shard. `ordinal` = shard's seq * 256 + position: the order of the upload.

    `declared_bytes` is set when the file was too large to be sent: its bytes are not here. `error_code` is set when a
    file of a labelled upload was seen to be unreadable as it came in (core/formats/signatures.py), without decoding it.
    `path_start` is what lists are sorted by; paths that begin alike follow the order of the upload.
    """

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("upload_id", "ordinal"),
        Index("ix_images_sha256", "sha256"),
        Index("ix_images_path", "upload_id", text(f"substr(path, 1, {PATH_START_CHARS})"), "ordinal"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("uploads.id"))
    shard_id: Mapped[int] = mapped_column(ForeignKey("shards.id"), index=True)
    ordinal: Mapped[int] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column()
    path_start: Mapped[str] = column_property(
        # Literals: an index on an expression is not used where they are parameters.
        func.substr(path, literal_column("1"), literal_column(str(PATH_START_CHARS))),
        deferred=True,
    )
    offset: Mapped[int]
    n_bytes: Mapped[int]
    declared_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    error_code: Mapped[str | None]


class Usage(Base):
    """What a person's uploads use, and may use where that differs from the installation's quota.

    It counts uploads until they are purged (core/uploads/usage.py).
    """

    __tablename__ = "usage"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    n_images: Mapped[int] = mapped_column(BigInteger)
    max_bytes: Mapped[int | None] = mapped_column(BigInteger)
    max_images: Mapped[int | None] = mapped_column(BigInteger)
