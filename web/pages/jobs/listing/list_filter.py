"""The filter of the list of jobs, kept in the address of the page, so that it can be shared."""

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Request, url_for

from core.base.states import ACTIVE_STATES, JobState
from core.jobs.listing.job_filter import JobFilter
from core.jobs.listing.job_list import JobSort

MAX_TEXT = 500
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
MAX_ZONE_MIN = 14 * 60
STATES: dict[str, tuple[str, tuple[JobState, ...]]] = {
    "": ("Any", ()),
    "active": ("Running", ACTIVE_STATES),
    "done": ("Done", (JobState.DONE,)),
    "cancelled": ("Stopped", (JobState.CANCELLED,)),
    "failed": ("Failed", (JobState.FAILED,)),
}
SORTS: dict[str, tuple[str, JobSort]] = {
    "": ("Newest first", JobSort.NEWEST),
    "oldest": ("Oldest first", JobSort.OLDEST),
    "name": ("Name", JobSort.NAME),
    "pictures": ("Most pictures first", JobSort.PICTURES),
    "state": ("State", JobSort.STATE),
}


@dataclass(frozen=True)
class ListFilter:
    """The values of the form; "" means any. Days are ISO dates in a zone that is `zone` minutes behind UTC."""

    search: str = ""
    state: str = ""
    user: str = ""
    since: str = ""
    until: str = ""
    tag: str = ""
    model: str = ""
    sort: str = ""
    zone: int = 0

    @classmethod
    def from_request(cls, request: Request) -> "ListFilter":
        """Read the address; invalid values are ignored."""
        given = request.args
        state, model, sort = given.get("state", ""), given.get("model", ""), given.get("sort", "")
        return cls(
            search=(given.get("search") or given.get("name", "")).strip()[:MAX_TEXT],  # `name` in old bookmarks
            state=state if state in STATES else "",
            user=given.get("user", "")[:MAX_TEXT],
            since=_day(given.get("since", "")),
            until=_day(given.get("until", "")),
            tag=given.get("tag", "").strip()[:MAX_TEXT].lower(),
            model=model if _VERSION.fullmatch(model) else "",
            sort=sort if sort in SORTS else "",
            zone=_zone(given.get("zone", "")),
        )

    @property
    def is_active(self) -> bool:
        """Whether it restricts the list at all."""
        return any((self.search, self.state, self.user, self.since, self.until, self.tag, self.model))

    @property
    def job_sort(self) -> JobSort:
        """The order for `core.jobs`."""
        return SORTS[self.sort][1]

    @property
    def job_filter(self) -> JobFilter:
        """The same for `core.jobs`."""
        return JobFilter(
            search=self.search or None,
            states=STATES[self.state][1],
            user=self.user or None,
            since=self._midnight(self.since),
            before=self._midnight(self.until, days_later=1),
            tag=self.tag or None,
            model=self.model or None,
        )

    def address(self, cursor: str | None = None) -> str:
        """The address of the page with this filter."""
        values: dict[str, Any] = {name: value for name, value in asdict(self).items() if value and name != "zone"}
        if self.zone and (self.since or self.until):
            values["zone"] = self.zone
        return url_for("job_pages.list_jobs", **values, cursor=cursor)

    def _midnight(self, day: str, days_later: int = 0) -> datetime | None:
        if not day:
            return None
        return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=days_later, minutes=self.zone)


def _day(text: str) -> str:
    """An ISO date in a year that `datetime` can calculate with, or ""."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a day, not an instant
    except ValueError:
        return ""
    return text if 1970 <= day.year < 9000 else ""


def _zone(text: str) -> int:
    try:
        minutes = int(text)
    except ValueError:
        return 0
    return minutes if abs(minutes) <= MAX_ZONE_MIN else 0
