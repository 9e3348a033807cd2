"""Tables of people, and what lets them in: bearer tokens, sessions, one-time codes."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, false
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
    """A bearer token; only its SHA-256 is kept.

    Attributes:
        made_with: The id of the token that made it, if one did: revoking that one revokes this one.
        scopes: The rights it has, with blanks between them; None for all of its person.
        expires_at: None for never.
        last_used_at: To the minute.
    """

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    made_with: Mapped[int | None]
    scopes: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LoginSession(Base):
    """A browser that is logged in; only the SHA-256 of its key is kept.

    Attributes:
        token_id: The token that it was opened with, if any.
        seen_at: Its last request, to the minute.
        idle_s: The longest time without a request; None for no such limit.
        agent: What the browser calls itself.
    """

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_id: Mapped[int | None] = mapped_column(ForeignKey("tokens.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    seen_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    idle_s: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    address: Mapped[str | None]
    agent: Mapped[str | None]


class LoginCode(Base):
    """A code that logs in once; only its SHA-256 is kept."""

    __tablename__ = "login_codes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]


class Password(Base):
    """The Argon2id hash of a person's password, with its parameters and salt."""

    __tablename__ = "passwords"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    encoded: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(insert_default=db_now())


class ProviderIdentity(Base):
    """Who a person is at an OpenID Connect provider: its `iss` and `sub`, which never change. The address may."""

    __tablename__ = "provider_identities"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    used_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("issuer", "subject"), {"sqlite_autoincrement": True})


class Invitation(Base):
    """A link that gives a way in, once: a new person with a role, or, with `user_id`, a new password."""

    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str | None]
    name: Mapped[str | None]
    email: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(insert_default=db_now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
