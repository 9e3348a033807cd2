"""What the server's templates and the page's scripts say in common: the same words, the same rules."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page

from core.base.network_catalog import CLASSES
from core.formats.ignored_names import kind_of_path
from core.jobs.confidence import is_neither
from core.jobs.progress import JobView
from tests.support.ignored_paths import SOME_PATHS
from web.pages.common import words
from web.pages.jobs import job_view

DATABASES = ("sqlite",)  # nothing here asks it

JOB = JobView(
    uuid=uuid4(),
    kind="classify",
    name="zoo",
    state="running",
    upload_uuid=None,
    upload_state=None,
    n_skipped=0,
    discards=False,
    discarded_at=None,
    model_version_id=1,
    network="seed-cnn",
    threshold=0.8,
    n_total=2000,
    n_done=990,
    n_failed=10,
    by_label={"cat": 500, "dog": 400, "unsure": 90},
    n_probably_neither=20,
    images_per_s=123.4,
    eta_s=8.1,
    created_at=datetime(2026, 11, 5, tzinfo=UTC),
    started_at=None,
    finished_at=None,
    error=None,
    revision=1,
)
JOBS = [
    JOB,
    replace(JOB, state="receiving"),
    replace(JOB, state="receiving", n_total=0, n_done=0, n_failed=0, images_per_s=None, eta_s=None),
    replace(JOB, state="queued", n_done=0, n_failed=0),
    replace(JOB, state="done", n_total=1000, images_per_s=0.51),
    replace(JOB, state="done", n_total=1, n_done=1, n_failed=0, images_per_s=1.25),
    replace(JOB, state="cancelled", images_per_s=2.04),
    replace(JOB, state="failed", eta_s=None),
    replace(JOB, n_workers=2),
    replace(JOB, state="queued", n_workers=0),
]


def _in_browser(page: Page, site: str, module: str, function: str, values: list[Any]) -> list[Any]:
    page.goto(f"{site}/login")
    script = "async ([module, name, values]) => { const found = await import(module); return values.map(found[name]); }"
    return list(page.evaluate(script, [module, function, values]))


@pytest.mark.parametrize(
    ("name", "function", "values"),
    [
        ("bytes", words.in_bytes, [0, 1, 999, 1000, 1049, 1050, 9949, 9950, 12_500, 999_499, 999_500, 3.4e6, 10**13]),
        ("limit", words.as_limit, [0, 1000, 2**20, 64 * 2**20, 67_000_000, 100 * 2**30, 10**10]),
        (
            "duration",
            words.duration,
            [0, 4.9, 7.5, 12.5, 54.9, 55, 90, 150, 3299, 3300, 5400, 129_599, 129_600, 216_000],
        ),
        ("rate", words.rate, [0, 0.0083, 0.5, 0.99, 1, 1.25, 9.99, 10, 10.5, 12_345.6]),
        ("percent", words.percent, [0, 0.005, 0.29, 0.57, 0.58, 0.8734, 0.99, 0.9999, 1]),
        ("count", words.count, [0, 999, 1000, 1_234_567]),
        ("label", words.label, ["cat", "unsure", ""]),
    ],
)
def test_numbers_read_the_same(page: Page, site: str, name: str, function: Any, values: list[Any]) -> None:
    assert _in_browser(page, site, "/static/shared/text/words.js", name, values) == [
        function(value) for value in values
    ]


def test_jobs_are_described_in_the_same_words(page: Page, site: str) -> None:
    as_json = [
        {
            "state": job.state,
            "counts": {"total": job.n_total, "done": job.n_done, "failed": job.n_failed, "by_label": job.by_label},
            "images_per_s": job.images_per_s,
            "eta_s": job.eta_s,
            "workers": job.n_workers,
            "originals_discarded_at": job.discarded_at,
        }
        for job in JOBS
    ]
    for name, function in (
        ("progressText", job_view.progress_text),
        ("progressSide", job_view.progress_side),
        ("percentDone", job_view.percent_done),
        ("progressShort", job_view.progress_short),
        ("canRetry", job_view.can_retry),
    ):
        assert _in_browser(page, site, "/static/jobs/job_view.js", name, as_json) == [function(job) for job in JOBS], (
            name
        )


def test_what_is_probably_neither_is_the_same(page: Page, site: str) -> None:
    said = [[0.3, 0.1], [0.25, 0.25], [0.249999, 0.25], [0.0, 0.0], [0.7, 0.1]]
    results = [{"label": "unsure", "probabilities": dict(zip(CLASSES, p, strict=True))} for p in said]
    results += [{"label": "cat", "probabilities": {"cat": 0.3, "dog": 0.1}}, {"label": None, "probabilities": None}]
    found = _in_browser(page, site, "/static/shared/text/neither.js", "probablyNeither", results)
    assert [share is not None for share in found] == [*map(is_neither, said), False, False]


def test_states_have_the_same_names(page: Page, site: str) -> None:
    page.goto(f"{site}/login")
    in_browser = page.evaluate("async () => (await import('/static/jobs/job_view.js')).STATE_WORDS")
    assert in_browser == {state: words.state_word(state) for state in in_browser}
    assert len(in_browser) == 6


def test_the_same_files_are_ignored(page: Page, site: str) -> None:
    found = _in_browser(
        page, site, "/static/upload/input/names.js", "ignoredKind", [f"top/{one}" for one in SOME_PATHS]
    )
    assert [kind and kind["one"] for kind in found] == [kind_of_path(path) for path in SOME_PATHS]


def test_names_are_as_the_server_takes_them(page: Page, site: str) -> None:
    given = [
        ["a/b.jpg", "a/c.jpg"],
        ["a/b.jpg", "c/d.jpg"],
        ["a.jpg"],
        ["a.jpg", "b.jpg"],
        ["new\nline/a.jpg"],
        ["\x01/a.jpg"],
    ]
    named = _in_browser(page, site, "/static/upload/input/names.js", "nameFor", given)
    assert named == ["a", "a and 1 more", "a.jpg", "2 files", "new line", "Pictures"]
    long = _in_browser(page, site, "/static/upload/input/names.js", "nameFor", [["🐱" * 300 + "/a.jpg"]])
    assert long == ["🐱" * 200]
