"""The audit log: who did what, with which credential, from where, when, and with what outcome.

    a service ─► record(…) in the transaction of what it does ─► commit ─► the same event in the log of web or worker

An entry and its action are committed together or not at all. Secrets never get here: entries name a token or a session
by its id. What a person typed is shortened, and control characters are removed, so no entry forges another one.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

import structlog
from sqlalchemy import event, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.clock import HOUR_S, db_now
from core.base.database import Database
from core.base.names import MAX_SHORT_NAME, shorten_name
from core.orm.audit_log import AuditEntry

PENDING = "audit_log"  # the key of a session's entries that are not committed yet
SECRETS = frozenset({"token", "code", "password", "secret", "cookie", "digest", "key"})
# Refused attempts in a minute that are recorded: in one from each address, and in all.
FLOOD_S = 60.0
MAX_REFUSED_OF_ADDRESS = 10
MAX_REFUSED = 120

LoginVia = Literal["session", "token", "password", "provider"]  # with what a login was refused

log = structlog.get_logger("audit")


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Action(StrEnum):
    """What is recorded. Part of the public contract: programs filter by it."""

    LOGIN = "login"
    LOGOUT = "logout"
    SESSION_END = "session.end"
    TOKEN_CREATE = "token.create"  # noqa: S105
    TOKEN_REVOKE = "token.revoke"  # noqa: S105
    ACCESS = "access"  # refused for want of a right
    USER_CREATE = "user.create"
    USER_ROLE = "user.role"
    USER_DISABLE = "user.disable"
    USER_ENABLE = "user.enable"
    INVITATION_CREATE = "invitation.create"
    INVITATION_ACCEPT = "invitation.accept"
    INVITATION_WITHDRAW = "invitation.withdraw"
    PASSWORD_CHANGE = "password.change"  # noqa: S105
    PASSWORD_LINK_CREATE = "password-link.create"  # noqa: S105
    PROVIDER_CONNECT = "provider.connect"
    OWNER_CHANGE = "owner.change"  # an upload or a job, handed over
    JOB_PAUSE = "job.pause"
    JOB_RESUME = "job.resume"
    JOB_PRIORITY = "job.priority"
    JOB_CANCEL = "job.cancel"
    JOB_RETRY = "job.retry"  # also of each of many jobs that are retried together
    JOB_THRESHOLD = "job.threshold"
    JOB_DELETE = "job.delete"
    UPLOAD_DELETE = "upload.delete"
    ORIGINALS_DISCARD = "originals.discard"
    VERSION_DELETE = "version.delete"
    VERSION_PROMOTE = "version.promote"
    VERSION_ROLLBACK = "version.rollback"
    SCHEDULE_CREATE = "schedule.create"
    SCHEDULE_CHANGE = "schedule.change"
    SCHEDULE_DELETE = "schedule.delete"
    SCHEDULE_RUN = "schedule.run"
    WEBHOOK_CREATE = "webhook.create"
    WEBHOOK_CHANGE = "webhook.change"
    WEBHOOK_DELETE = "webhook.delete"
    WEBHOOK_ROTATE = "webhook.rotate"
    WEBHOOK_REPLAY = "webhook.replay"
    WEBHOOK_DISABLE = "webhook.disable"  # by Pawsort, after days of failures
    LABELS_ADD = "labels.add"  # in bulk
    LABELS_UNDO = "labels.undo"
    EXPORT = "export"
    IMPORT_CREATE = "import.create"  # a folder or bucket that the server reads itself
    SETTING_CHANGE = "setting.change"
    BACKUP_CREATE = "backup.create"
    BACKUP_RESTORE = "backup.restore"
    INSTALLATION_MOVE = "installation.move"  # recorded where it was moved to
    AUDIT_LOG_PRUNE = "audit-log.prune"


def record(
    session: Session,
    actor: Actor | None,
    action: Action,
    object_kind: str = "",
    object_id: object = "",
    outcome: Outcome | str = Outcome.DONE,
    **details: Any,
) -> None:
    """Add an entry to the transaction; the process logs the same event once it is committed.

    Args:
        actor: Who did it; None for Pawsort itself.
        object_kind: Such as `job`, `version`, `token`; with `object_id`, what it was done to.
        details: A few short values: texts, numbers, booleans.
    Raises:
        ValueError: A detail has the name of a secret.
    """
    what = {"action": str(action), "object_kind": object_kind, "object_id": str(_plain(object_id))}
    _append(session, _describe(actor) | what | {"outcome": str(outcome)}, details)


def record_hourly(
    db: Database, actor: Actor, action: Action, object_kind: str, object_id: object, **details: Any
) -> None:
    """Record what is done often, in a transaction of its own: the first time in an hour.

    What is done to another object, with another credential or from another address is recorded by itself.
    """
    columns = _describe(actor) | {"action": action, "object_kind": object_kind, "object_id": str(object_id)}
    same = (getattr(AuditEntry, name) == value for name, value in columns.items())
    with db.read() as session:
        if session.scalar(select(AuditEntry.id).where(*same, AuditEntry.at > db_now(-HOUR_S)).limit(1)) is not None:
            return
    with db.write() as session:
        record(session, actor, action, object_kind, object_id, **details)


def record_refused_login(db: Database, via: LoginVia, address: str, **details: Any) -> None:
    """Record a login or a token that was not accepted, in a transaction of its own.

    Of a flood, the first attempts of each minute are recorded: `details.flood` marks the last of them.
    """
    who = {"user_id": None, "user_name": "", "via": via, "credential_id": None, "address": address}
    _append_refused(db, Action.LOGIN, who, details)


def record_refused_access(db: Database, actor: Actor, **details: Any) -> None:
    """Record that somebody tried what they have no right to do; as `record_refused_login`."""
    _append_refused(db, Action.ACCESS, _describe(actor), details)


def _append_refused(db: Database, action: Action, who: Mapping[str, Any], details: dict[str, Any]) -> None:
    """A database that takes no writes at the moment must not keep anybody from being refused."""
    try:
        _append_unless_flood(db, action, who, details)
    except SQLAlchemyError as error:
        log.warning("audit_entry_lost", action=action, **who, error=str(error))


def _append_unless_flood(db: Database, action: Action, who: Mapping[str, Any], details: dict[str, Any]) -> None:
    with db.read() as session:
        n_of_address, n = _count_refused(session, action, who["address"])
    if n_of_address >= MAX_REFUSED_OF_ADDRESS or n >= MAX_REFUSED:
        return
    if n_of_address == MAX_REFUSED_OF_ADDRESS - 1 or n == MAX_REFUSED - 1:
        details["flood"] = True
    what = {"action": str(action), "object_kind": "", "object_id": "", "outcome": str(Outcome.REFUSED)}
    with db.write() as session:
        _append(session, {**who, **what}, details)


def _describe(actor: Actor | None) -> dict[str, Any]:
    """The columns about a person; all are empty for Pawsort itself."""
    if actor is None:
        return {"user_id": None, "user_name": "", "via": "", "credential_id": None, "address": ""}
    who = {"user_id": actor.user_id, "user_name": actor.name, "via": actor.via, "credential_id": actor.credential_id}
    return who | {"address": actor.address or ""}


def _count_refused(session: Session, action: Action, address: str) -> tuple[int, int]:
    """Refused attempts in the last minute: from an address, and in all."""
    is_recent = (AuditEntry.action == action) & (AuditEntry.at > db_now(-FLOOD_S))
    refused = select(AuditEntry.address).where(is_recent, AuditEntry.outcome == Outcome.REFUSED).subquery()
    is_here = refused.c.address == address
    counts = select(func.count().filter(is_here), func.count()).select_from(refused)
    n_of_address, n = session.execute(counts).one()
    return n_of_address, n


def _append(session: Session, columns: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    if named := SECRETS & details.keys():
        raise ValueError(f"details: expected no secrets, got {', '.join(sorted(named))}.")
    short = {name: _plain(value) for name, value in details.items() if value is not None}
    session.add(AuditEntry(**columns, details=short))
    if PENDING not in session.info:
        session.info[PENDING] = []
        event.listen(session, "after_commit", _log_entries)
    session.info[PENDING].append({**columns, **{f"details.{name}": value for name, value in short.items()}})


def _log_entries(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint, which can still be undone with the rest
        return
    entries, session.info[PENDING] = session.info[PENDING], []
    for entry in entries:
        if entry["via"] != "command":  # what a command prints is for a person or another program
            log.info("audit", **entry)


def _plain(value: Any) -> Any:
    """A number as it is; everything else as a short text without control characters."""
    return value if isinstance(value, bool | int | float) else shorten_name(str(value), MAX_SHORT_NAME)
