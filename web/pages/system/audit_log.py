"""The audit log for admins: who did what, when and from where. Plain forms and links without JavaScript."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, request, url_for

from core.accounts import accounts, audit_list
from core.accounts.audit_list import AuditFilter
from core.accounts.audit_log import Action
from core.accounts.rights import Right
from core.base.names import MAX_SHORT_NAME
from core.orm.audit_log import AuditEntry
from web.http.arguments import day, one_of, read_argument
from web.http.context import get_services
from web.http.rights import needs

pages = Blueprint("audit_log_pages", __name__)

SHOWN = 100
WORDS = {
    Action.LOGIN: "Login",
    Action.LOGOUT: "Logout",
    Action.SESSION_END: "Ended a session",
    Action.TOKEN_CREATE: "Created a token",
    Action.TOKEN_REVOKE: "Revoked a token",
    Action.ACCESS: "Access",
    Action.USER_CREATE: "Added a person",
    Action.USER_ROLE: "Changed a role",
    Action.USER_DISABLE: "Disabled a person",
    Action.USER_ENABLE: "Enabled a person",
    Action.INVITATION_CREATE: "Invited a person",
    Action.INVITATION_ACCEPT: "Accepted an invitation",
    Action.INVITATION_WITHDRAW: "Withdrew an invitation",
    Action.PASSWORD_CHANGE: "Changed a password",
    Action.PASSWORD_LINK_CREATE: "Made a link for a new password",
    Action.PROVIDER_CONNECT: "Connected a login provider",
    Action.OWNER_CHANGE: "Handed over",
    Action.JOB_PAUSE: "Paused a job",
    Action.JOB_RESUME: "Resumed a job",
    Action.JOB_PRIORITY: "Changed the priority of a job",
    Action.JOB_THRESHOLD: "Changed the threshold of a job",
    Action.JOB_CANCEL: "Cancelled a job",
    Action.JOB_RETRY: "Retried a job",
    Action.JOB_DELETE: "Deleted a job",
    Action.UPLOAD_DELETE: "Deleted an upload",
    Action.ORIGINALS_DISCARD: "Discarded originals",
    Action.VERSION_DELETE: "Deleted a version",
    Action.VERSION_PROMOTE: "Promoted a version",
    Action.VERSION_ROLLBACK: "Rolled back",
    Action.IMPORT_CREATE: "Classified a folder of the server",
    Action.SCHEDULE_CREATE: "Added a schedule",
    Action.SCHEDULE_CHANGE: "Changed a schedule",
    Action.SCHEDULE_DELETE: "Deleted a schedule",
    Action.SCHEDULE_RUN: "Ran a schedule",
    Action.WEBHOOK_CREATE: "Added a webhook",
    Action.WEBHOOK_CHANGE: "Changed a webhook",
    Action.WEBHOOK_DELETE: "Deleted a webhook",
    Action.WEBHOOK_ROTATE: "Changed the secret of a webhook",
    Action.WEBHOOK_REPLAY: "Sent messages of a webhook again",
    Action.WEBHOOK_DISABLE: "Turned a webhook off",
    Action.LABELS_ADD: "Labelled in bulk",
    Action.LABELS_UNDO: "Undid labels",
    Action.EXPORT: "Downloaded",
    Action.SETTING_CHANGE: "Changed a setting",
    Action.BACKUP_CREATE: "Made a backup",
    Action.BACKUP_RESTORE: "Restored a backup",
    Action.INSTALLATION_MOVE: "Moved the installation here",
    Action.AUDIT_LOG_PRUNE: "Deleted old entries",
}


@dataclass(frozen=True)
class AuditForm:
    """The filter as it is in the address; "" means any. Days are ISO dates in UTC."""

    user: str = ""
    action: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def from_request(cls) -> "AuditForm":
        """Read the address.

        Raises:
            Invalid: There is no such action, or a day is none.
        """
        return cls(
            user=request.args.get("user", "").replace("\0", "")[:MAX_SHORT_NAME],
            action=read_argument("action", one_of(WORDS)) or "",
            since=read_argument("since", day) or "",
            until=read_argument("until", day) or "",
        )

    @property
    def filter(self) -> AuditFilter:
        """The filter of the list."""
        return AuditFilter(self.user, self.action, _midnight(self.since), _midnight(self.until, days_later=1))

    def export_address(self, ending: str) -> str:
        """The address of the same entries as a file."""
        chosen = self.filter
        return url_for(
            f"audit_log.export_audit_log_{ending}",
            user=self.user or None,
            action=self.action or None,
            since=chosen.since and chosen.since.isoformat(),
            before=chosen.before and chosen.before.isoformat(),
        )

    def address(self, cursor: str | None = None) -> str:
        """The address of the page with this filter."""
        values = {name: value for name, value in asdict(self).items() if value}
        return url_for("audit_log_pages.list_entries", **values, cursor=cursor)


@pages.get("/audit-log")
@needs(Right.SYSTEM)
def list_entries() -> str:
    """The entries that match the filter, newest first."""
    form, cursor = AuditForm.from_request(), request.args.get("cursor") or None
    with get_services().db.read() as session:
        page = audit_list.list_entries(session, form.filter, cursor, SHOWN)
        users = sorted(accounts.list_names(session).values())
    return render_template(
        "system/audit_log.html",
        entries=page.items,
        next=page.next,
        is_first_page=cursor is None,
        form=form,
        users=users,
        words=WORDS,
        who=who,
        details=details,
    )


def who(entry: AuditEntry) -> str:
    """The person, or what stood in for one."""
    return entry.user_name or ("nobody" if entry.via else "Pawsort")


def details(entry: AuditEntry) -> str:
    """The details in one line: "format: csv, rows: 20"."""
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in entry.details.items())


def _midnight(day: str, days_later: int = 0) -> datetime | None:
    if not day:
        return None
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=days_later)
