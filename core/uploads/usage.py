"""What each person's uploads use, and how much they may use: counted with every shard, given back when it is purged.

    shard's rows ─► usage of the upload's owner + ─┐
    preview in place of a shard ─► usage ±         ├─ each in the same transaction
    upload purged ─► usage -                      ─┘

The row of the upload is locked first, then that of its owner's usage.
"""

from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, Right, check_right
from core.base.config import Settings
from core.base.database import change, insert_or
from core.base.errors import TooLarge
from core.orm.uploads import Usage

GB, MB = 10**9, 10**6


class QuotaExceeded(TooLarge):
    """Somebody's uploads would use more than they may."""


class Quota(NamedTuple):
    """How many bytes and images somebody may have; None for any number."""

    n_bytes: int | None = None
    n_images: int | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "Quota":
        """The quota of people who have none of their own."""
        return cls(settings.quota_bytes or None, settings.quota_images or None)


NO_QUOTA = Quota()
MAX_QUOTA = 10**18
UNLIMITED = 2**62  # as a person's own quota, where the installation has one


class PersonUsage(NamedTuple):
    """What somebody's uploads use, and may use."""

    n_bytes: int
    n_images: int
    quota: Quota

    @property
    def bytes_left(self) -> int | None:
        """How many more bytes they may send; None for any number."""
        return None if self.quota.n_bytes is None else max(self.quota.n_bytes - self.n_bytes, 0)

    @property
    def images_left(self) -> int | None:
        """How many more images they may send; None for any number."""
        return None if self.quota.n_images is None else max(self.quota.n_images - self.n_images, 0)


def read_usage(session: Session, user_id: int, default: Quota) -> PersonUsage:
    """The usage of one person."""
    return _view(session.get(Usage, user_id), default)


def check_room(session: Session, user_id: int | None, n_bytes: int, default: Quota) -> None:
    """Whether it is worth receiving so many bytes; `add` asks again when they are here.

    Raises:
        QuotaExceeded: They would exceed the quota.
    """
    if user_id is not None:
        used = read_usage(session, user_id, default)
        _check(used._replace(n_bytes=used.n_bytes + n_bytes, n_images=used.n_images + 1))


def add(session: Session, user_id: int | None, n_bytes: int, n_images: int, default: Quota = NO_QUOTA) -> None:
    """Count what has been stored for a person; an error undoes it with the transaction.

    Raises:
        QuotaExceeded: It exceeds the quota.
    """
    if user_id is not None:
        _check(_view(_count(session, user_id, n_bytes, n_images), default))


def move(session: Session, before: int | None, after: int, n_bytes: int, n_images: int) -> None:
    """Count what a person has handed over to another one, whatever the quota of that one: an admin has decided."""
    if before != after:
        give_back(session, before, n_bytes, n_images)
        _count(session, after, n_bytes, n_images)


def _count(session: Session, user_id: int, n_bytes: int, n_images: int) -> Usage | None:
    row = {"user_id": user_id, "n_bytes": n_bytes, "n_images": n_images}
    added = insert_or(session, Usage).values(row)
    counted = added.on_conflict_do_update(
        index_elements=["user_id"],
        set_={
            "n_bytes": Usage.n_bytes + added.excluded.n_bytes,
            "n_images": Usage.n_images + added.excluded.n_images,
        },
    )
    return session.scalar(counted.returning(Usage).execution_options(populate_existing=True))


def give_back(session: Session, user_id: int | None, n_bytes: int, n_images: int) -> None:
    """Count what has been deleted, or has become smaller."""
    less = {"n_bytes": Usage.n_bytes - n_bytes, "n_images": Usage.n_images - n_images}
    change(session, update(Usage).where(Usage.user_id == user_id).values(less))


def read_own_quota(session: Session, user_id: int) -> Quota:
    """What was set for this person: None for that of the installation, `UNLIMITED` for none."""
    row = session.get(Usage, user_id)
    return NO_QUOTA if row is None else Quota(row.max_bytes, row.max_images)


def list_own_quotas(session: Session) -> dict[int, Quota]:
    """What was set for each person, as `read_own_quota` has it; people who never sent anything are missing."""
    return {row.user_id: Quota(row.max_bytes, row.max_images) for row in session.scalars(select(Usage))}


def set_quota(session: Session, actor: Actor, user_id: int, quota: Quota) -> None:
    """Give a person a quota of their own; None for that of the installation, `UNLIMITED` for none.

    Raises:
        Forbidden: The actor may not manage people.
    """
    check_right(actor, Right.PEOPLE)
    if quota == read_own_quota(session, user_id):
        return
    record(session, actor, Action.SETTING_CHANGE, "user", user_id, **quota._asdict())
    row = {"user_id": user_id, "n_bytes": 0, "n_images": 0}
    limits = {"max_bytes": quota.n_bytes, "max_images": quota.n_images}
    added = insert_or(session, Usage).values(row | limits)
    session.execute(added.on_conflict_do_update(index_elements=["user_id"], set_=limits))


def list_usage(session: Session, default: Quota) -> dict[int, PersonUsage]:
    """Everybody's usage, by the person's id; people who never sent anything are missing."""
    return {row.user_id: _view(row, default) for row in session.scalars(select(Usage))}


def _view(row: Usage | None, default: Quota) -> PersonUsage:
    if row is None:
        return PersonUsage(0, 0, default)
    max_bytes = default.n_bytes if row.max_bytes is None else row.max_bytes
    max_images = default.n_images if row.max_images is None else row.max_images
    quota = Quota(*(None if most == UNLIMITED else most for most in (max_bytes, max_images)))
    return PersonUsage(row.n_bytes, row.n_images, quota)


def _check(used: PersonUsage) -> None:
    n_bytes, n_images = used.quota
    if n_bytes is not None and used.n_bytes > n_bytes:
        limit, got = f"{_size(n_bytes)} of files", _size(used.n_bytes)
    elif n_images is not None and used.n_images > n_images:
        limit, got = f"{n_images:,} pictures", f"{used.n_images:,}"
    else:
        return
    raise QuotaExceeded(
        f"You can have up to {limit} on this server; with this upload it would be {got}. Delete jobs that you no longer"
        " need, or ask an administrator for a larger quota."
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / GB:,.1f} GB" if n_bytes >= GB else f"{n_bytes / MB:,.1f} MB"
