"""The filter of the list of jobs, kept in the address of the page, so that it can be shared."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request, url_for

from core.base.states import ACTIVE_STATES, JobState
from core.jobs.listing.job_filter import JobFilter
from core.jobs.listing.job_list import JobSort
from web.http.arguments import day, one_of, read_argument, whole_number
from web.http.paths import LARGEST_ID

MAX_TEXT = 500
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
    def from_request(cls) -> "ListFilter":
        """Read the address.

        Raises:
            Invalid: A value is none of the choices, no day, or no number.
        """
        given = request.args
        model = read_argument("model", whole_number(1, LARGEST_ID))
        return cls(
            search=(given.get("search") or given.get("name", "")).strip()[:MAX_TEXT],  # `name` in old bookmarks
            state=read_argument("state", one_of(STATES)) or "",
            user=given.get("user", "")[:MAX_TEXT],
            since=read_argument("since", day) or "",
            until=read_argument("until", day) or "",
            tag=given.get("tag", "").strip()[:MAX_TEXT].lower(),
            model="" if model is None else str(model),
            sort=read_argument("sort", one_of(SORTS)) or "",
            zone=read_argument("zone", whole_number(-MAX_ZONE_MIN, MAX_ZONE_MIN)) or 0,
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
