"""Tables of model versions, their conversions and their deployments."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.base.manifest import Manifest
from core.orm.base import Base


class ModelVersion(Base):
    """A trained network with its manifest. `id` is the number people see. Immutable.

    A deleted one stays as a row, since jobs, results and deployments refer to it; its weights are gone. `body` is the
    SHA-256 of its layers below the head, filled in when it is first loaded. Versions with the same body have the
    same features.
    """

    __tablename__ = "model_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    network: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    manifest: Mapped[Manifest] = mapped_column(JSON)
    body: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    deleted_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class Conversion(Base):
    """The body of a version as LiteRT runs it: the blob `models/<digest>`, and its manifest as `document`.

    Without a digest the version stays with TensorFlow, and `document` is `{"reason": ...}`.
    """

    __tablename__ = "conversions"
    __table_args__ = ({"sqlite_autoincrement": False},)
    model_version_id: Mapped[int] = mapped_column(
        ForeignKey("model_versions.id"), primary_key=True, autoincrement=False
    )
    digest: Mapped[str | None] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())


class Deployment(Base):
    """One line of the history of versions in use; the newest one counts.

    `previous_id` is the line that rolling back from this one repeats. A line written by a roll back takes over that of
    the line it repeats, so that the next one goes further back.
    """

    __tablename__ = "deployments"
    id: Mapped[int] = mapped_column(primary_key=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("deployments.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
