"""Tables of people and their bearer tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from core.base.clock import db_now
from core.orm.base import Base


class User(Base):
    """A person. A disabled one keeps what they made, and is refused.

    `has_role_notice` shows a notice about the role until the person dismisses it.
    """

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    role: Mapped[str] = mapped_column(server_default="member")
    has_role_notice: Mapped[bool] = mapped_column(default=False, server_default=false())
    disabled_at: Mapped[datetime | None]


class Token(Base):
    """A bearer token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    revoked_at: Mapped[datetime | None]
