"""Schemas of the audit log."""

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from core.accounts import rights
from core.accounts.audit_list import AuditFilter
from core.accounts.audit_log import Action, LoginVia, Outcome
from core.orm.audit_log import AuditEntry
from web.schemas.common import Input, Moment, Name, OneOf, PageQuery


class AuditLogQuery(Input):
    """Which entries; all of them without a filter."""

    user: Name = Field("", description="The name of a person at that time")
    action: Action | None = None
    since: Moment | None = None
    before: Moment | None = None

    @property
    def filter(self) -> AuditFilter:
        """The filter of the list."""
        return AuditFilter(self.user, self.action or "", self.since, self.before)


class AuditLogPageQuery(AuditLogQuery, PageQuery):
    pass


# By what a person acts, or a login was refused; "" for Pawsort itself.
VIAS = dict.fromkeys((*get_args(rights.Via), *get_args(LoginVia), ""))
Via = TypeAliasType("Via", Annotated[str, OneOf(tuple(VIAS))])


class AuditEntryOut(BaseModel):
    """`user` is null for Pawsort itself, and if nobody was logged in; `via` shows which of the two it was."""

    id: int
    at: datetime
    user: str | None
    user_id: int | None
    via: Via
    credential_id: int | None
    address: str
    action: Action
    object_kind: str
    object_id: str
    outcome: Outcome
    details: dict[str, Any]

    @classmethod
    def from_entry(cls, entry: AuditEntry) -> "AuditEntryOut":
        """An entry as the API shows it."""
        return cls(
            id=entry.id,
            at=entry.at,
            user=entry.user_name or None,
            user_id=entry.user_id,
            via=entry.via,
            credential_id=entry.credential_id,
            address=entry.address,
            action=Action(entry.action),
            object_kind=entry.object_kind,
            object_id=entry.object_id,
            outcome=Outcome(entry.outcome),
            details=entry.details,
        )


class AuditLogPage(BaseModel):
    items: list[AuditEntryOut]
    next: str | None
