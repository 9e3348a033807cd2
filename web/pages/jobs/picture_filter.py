"""The filter and order of a job's pictures, kept in the address of the page; the API has the same parameters."""

from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import request, url_for

from core.base.network_catalog import CLASSES
from core.jobs.confidence import UNSURE
from core.jobs.result_filter import PROBABLE, SAID, SORTS, ResultFilter
from web.http.arguments import one_of, read_argument, share
from web.pages.common.words import percent

_SORT_WORDS = {
    "order": "As uploaded",
    "path": "By name",
    "confidence": "Lowest confidence first",
    "-confidence": "Highest confidence first",
    "alike": "Similar together",
}
_SAID_WORDS = {
    "": "Any",
    "nothing": "None",
    "something": "Labelled by people",
    "otherwise": "Different from the model",
}
_STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class PictureFilter:
    """A filter and an order."""

    label: str | None = None
    path: str | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    folder: str | None = None
    said: str | None = None
    neither: str | None = None
    sort: str = "order"

    @classmethod
    def from_request(cls) -> "PictureFilter":
        """Read it from the address.

        Raises:
            Invalid: A value is none of the choices, or no share.
        """
        return cls(
            label=read_argument("label", one_of((*CLASSES, UNSURE))),
            path=request.args.get("path", "")[:500] or None,
            min_confidence=read_argument("min_confidence", share),
            max_confidence=read_argument("max_confidence", share),
            folder=request.args.get("folder", "")[:4096] or None,
            said=read_argument("said", one_of(SAID)),
            neither=read_argument("neither", one_of((PROBABLE,))),
            sort=read_argument("sort", one_of(SORTS)) or "order",
        )

    @property
    def is_active(self) -> bool:
        """Whether it restricts the pictures at all."""
        return replace(self, sort="order") != PictureFilter()

    @property
    def result_filter(self) -> ResultFilter:
        """The same for `core.jobs`."""
        return ResultFilter(
            label=self.label,
            path=self.path,
            min_confidence=self.min_confidence,
            max_confidence=self.max_confidence,
            folder=self.folder,
            said=self.said,
            neither=self.neither,
            sort=self.sort,
        )

    @property
    def scope(self) -> ResultFilter:
        """What the counts are of: everything but the label, which the counts are by, and the order."""
        return replace(self.result_filter, label=None, neither=None, sort="order")

    @property
    def of_files(self) -> "PictureFilter":
        """What failed files have of it, too."""
        return PictureFilter(path=self.path, folder=self.folder)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters in the address: only those that differ from the defaults."""
        given: dict[str, Any] = {
            "label": self.label,
            "path": self.path,
            "min_confidence": self.min_confidence,
            "max_confidence": self.max_confidence,
            "folder": self.folder,
            "said": self.said,
            "neither": self.neither,
            "sort": None if self.sort == "order" else self.sort,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def address(self, job_uuid: UUID, cursor: str | None = None, folders: bool = False, **changes: Any) -> str:
        """The address of the job page with this filter and some changes; `folders`: with the list of folders."""
        values: dict[str, Any] = dict(replace(self, **changes).parameters)
        if cursor:
            values["cursor"] = cursor
        if folders:
            values["folders"] = 1
        return url_for("job_pages.show_job", uuid=job_uuid, **values)

    def image_address(self, job_uuid: UUID, image_id: int, steps: str | None = None) -> str:
        """The address of one picture, with its neighbours under this filter, and with steps that can be undone."""
        values: dict[str, Any] = {**self.parameters, "steps": steps or None}
        return url_for("picture_pages.show_image", uuid=job_uuid, image_id=image_id, **values)

    @property
    def query(self) -> str:
        """The same as a query of the API: for results, and for tables."""
        return urlencode(self.parameters)

    def api_address(self, job_uuid: UUID) -> str:
        """The address of the same results in the API."""
        return f"/api/v1/jobs/{job_uuid}/results{'?' if self.query else ''}{self.query}"

    @property
    def clear_query(self) -> str:
        """For static/jobs/filter/filter.js: what shows all pictures; the order stays."""
        return urlencode({field.name: "" for field in fields(self) if field.name != "sort"})

    @property
    def min_choices(self) -> list[tuple[str, str]]:
        """Options of the field for the lowest confidence."""
        return _choices(self.min_confidence)

    @property
    def max_choices(self) -> list[tuple[str, str]]:
        """Options of the field for the highest confidence."""
        return _choices(self.max_confidence)

    @property
    def min_text(self) -> str:
        """The selected option of that field."""
        return _text(self.min_confidence)

    @property
    def max_text(self) -> str:
        """The selected option of that field."""
        return _text(self.max_confidence)

    @property
    def said_choices(self) -> list[tuple[str, str]]:
        """Options of the field "your labels"."""
        return list(_SAID_WORDS.items())

    @property
    def sort_choices(self) -> list[tuple[str, str]]:
        """Options of the field "order"."""
        return list(_SORT_WORDS.items())


def _text(value: float | None) -> str:
    return "" if value is None else str(value)


def _choices(chosen: float | None) -> list[tuple[str, str]]:
    values = sorted({*_STEPS, *([] if chosen is None else [chosen])})
    return [("", "Any")] + [(str(value), percent(value)) for value in values]
