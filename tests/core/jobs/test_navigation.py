"""Where the pages of a view begin, who stands beside whom, and the folders of an upload."""

from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import update

from core.base.database import Database
from core.base.errors import ErrorCode, Invalid, NotFound
from core.base.network_catalog import CLASSES
from core.jobs import jobs, navigation
from core.jobs.progress import describe
from core.jobs.result_filter import SORTS, ResultFilter
from core.jobs.results import ResultRow, list_results
from core.labels.labels import NewLabel, add_labels
from core.orm.results import Result
from core.review.review_progress import ReviewTallies
from core.storage.blobs import Blobs
from core.uploads import folders, uploads
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")
N = 25


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    """Pictures in two folders, cats and dogs of every confidence, one broken; a person called one cat a dog."""
    files = {f"zoo/{'ab'[n % 2]}/{n * 7 % N:02}.jpg": draw_picture(n) for n in range(N)}
    job = make_job(db, make_upload(db, blobs, files=files), threshold=0.8)
    said: dict[str, tuple[float, float] | ErrorCode] = {
        path: (0.5 + n / 60, 0.04) if n % 3 else (0.04, 0.5 + n / 60) for n, path in enumerate(files)
    }
    run_job(db, job, said | {"zoo/a/00.jpg": ErrorCode.TRUNCATED})
    with db.write() as session:  # in an order of its own, some of them equal
        session.execute(update(Result).values(similarity_key=Result.image_id * 7 % 11))
    with db.write() as session:
        add_labels(session, None, [NewLabel(_sure_cat(db, job), "dog")])
    return job


def _sure_cat(db: Database, job: UUID) -> int:
    sure = (row for row in read_results(db, job) if row.label == "cat")
    return next(sure).image_id


FILTERS = [
    *(ResultFilter(sort=sort) for sort in SORTS),
    *(ResultFilter(label="cat", sort=sort) for sort in SORTS),
    ResultFilter(folder="zoo/a"),
    ResultFilter(folder="zoo/a", sort="confidence"),
    ResultFilter(path="1", sort="path"),
    ResultFilter(said="something"),
    ResultFilter(said="nothing", sort="-confidence"),
    ResultFilter(said="otherwise"),
    ResultFilter(failed=True),
    ResultFilter(error_code="truncated"),
    ResultFilter(failed=True, error_code="empty_file"),
    ResultFilter(failed=False, sort="path"),
]


def ids(db: Database, job: UUID, wanted: ResultFilter, cursor: str | None = None, limit: int = 1000) -> list[int]:
    with db.read() as session:
        page = list_results(session, jobs.get_job(session, job), wanted, cursor, limit)
    return [row.image_id for row in page.items]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_landmarks_lead_to_every_page_of_a_view(db: Database, job: UUID, wanted: ResultFilter) -> None:
    whole = ids(db, job, wanted)
    with db.read() as session:
        found = navigation.find_page_cursors(session, jobs.get_job(session, job), wanted, every=5)
    assert found.n == len(whole)
    pages = [ids(db, job, wanted, cursor, 5) for cursor in (None, *found.cursors)]
    assert [image for page in pages for image in page] == whole


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_neighbours_are_those_of_the_view(db: Database, job: UUID, wanted: ResultFilter) -> None:
    whole = ids(db, job, wanted)
    with db.read() as session:
        row = jobs.get_job(session, job)
        for place, image in enumerate(whole):
            beside = navigation.find_neighbours(session, row, wanted, image)
            assert beside.before == (whole[place - 1] if place else None)
            assert beside.after == (whole[place + 1] if place + 1 < len(whole) else None)


def test_a_picture_of_another_job_has_no_neighbours(db: Database, job: UUID) -> None:
    with db.read() as session, pytest.raises(NotFound, match="has no image 4711"):
        navigation.find_neighbours(session, jobs.get_job(session, job), ResultFilter(), 4711)


def test_what_people_said_narrows_a_list(db: Database, job: UUID) -> None:
    corrected = _sure_cat(db, job)
    assert ids(db, job, ResultFilter(said="otherwise")) == ids(db, job, ResultFilter(said="something")) == [corrected]
    assert corrected not in ids(db, job, ResultFilter(said="nothing"))
    with pytest.raises(Invalid, match="said: expected one of"):
        ids(db, job, ResultFilter(said="maybe"))


def test_where_the_model_was_unsure_nobody_says_otherwise(db: Database, job: UUID) -> None:
    unsure = next(row for row in read_results(db, job) if row.label == "unsure")
    with db.write() as session:
        add_labels(session, None, [NewLabel(unsure.image_id, "neither")])
    assert unsure.image_id in ids(db, job, ResultFilter(said="something"))
    assert unsure.image_id not in ids(db, job, ResultFilter(said="otherwise"))
    with db.read() as session:
        row = jobs.get_job(session, job)
        progress = ReviewTallies().measure(session, row, describe(session, row))
    assert progress.n_other == len(ids(db, job, ResultFilter(said="otherwise")))


def test_a_folder_is_taken_by_its_exact_name(db: Database, blobs: Blobs) -> None:
    files = {
        f"{name}/{n}.jpg": draw_picture(n) for n, name in enumerate(("Cats", "cats", "cats%", "cats_old", "cats/x"))
    }
    job = make_job(db, make_upload(db, blobs, files=files))
    run_job(db, job)
    with db.read() as session:
        page = list_results(session, jobs.get_job(session, job), ResultFilter(folder="cats"), None, 10)
    assert [row.path for row in page.items] == ["cats/1.jpg", "cats/x/4.jpg"]


def test_folders_count_what_lies_in_them_at_any_depth(
    db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "SLICE", 2)
    paths = ("a/1.jpg", "a/b/2.jpg", "a/b/c/3.jpg", "d/4.jpg", "5.jpg")
    upload = make_upload(db, blobs, files={path: draw_picture(n) for n, path in enumerate(paths)})
    with db.read() as session:
        counts = folders.count_folders(session, uploads.get_upload(session, upload).id)
    assert counts == {"a": 3, "a/b": 2, "a/b/c": 1, "d": 1}
    assert folders.list_children(counts, "") == [("a", 3), ("d", 1)]
    assert folders.list_children(counts, "a") == [("a/b", 2)]


def test_bins_sum_to_the_good_results(db: Database, job: UUID) -> None:
    with db.read() as session:
        histogram = navigation.find_histogram(session, jobs.get_job(session, job))
    assert sum(one.n for one in histogram.bins) == N - 1


@pytest.mark.parametrize(
    "wanted",
    [
        ResultFilter(folder="zoo/a"),
        ResultFilter(path="1"),
        ResultFilter(min_confidence=0.6, max_confidence=0.8),
        ResultFilter(said="nothing", folder="zoo/b"),
    ],
)
def test_counts_of_a_filter_are_those_of_its_list(db: Database, job: UUID, wanted: ResultFilter) -> None:
    with db.read() as session:
        row = jobs.get_job(session, job)
        histogram = navigation.find_histogram(session, row, wanted)
        listed = list_results(session, row, wanted, None, N).items
    good = [one for one in listed if one.confidence is not None]
    by_bin = Counter((CLASSES[one.class_index], one.thousandth) for one in histogram.bins for _ in range(one.n))
    assert by_bin == Counter((_top(one), int(1000 * (one.confidence or 0))) for one in good)
    assert sum(one.n_neither for one in histogram.bins) == sum((one.p_neither or 0) > 0.5 for one in good)
    assert histogram.n_failed == len(listed) - len(good)


def _top(row: ResultRow) -> str:
    assert row.probabilities is not None
    return CLASSES[row.probabilities.index(max(row.probabilities))]


def test_a_whole_job_counts_the_same_by_its_histogram_and_by_its_results(db: Database, job: UUID) -> None:
    with db.read() as session:
        row = jobs.get_job(session, job)
        by_results = navigation.find_histogram(session, row, ResultFilter(path="zoo"))
        assert navigation.find_histogram(session, row) == by_results


def test_errors_are_counted_by_reason_the_most_frequent_first(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=6))
    reasons = {f"photos/{n}.jpg": ErrorCode.TRUNCATED if n < 3 else ErrorCode.EMPTY_FILE for n in range(1, 6)}
    run_job(db, job, reasons | {"photos/5.jpg": ErrorCode.EMPTY_FILE})
    with db.read() as session:
        found = navigation.count_errors(session, jobs.get_job(session, job))
        below = navigation.count_errors(session, jobs.get_job(session, job), ResultFilter(path="/2."))
    assert [(one.code, one.n) for one in found] == [(ErrorCode.EMPTY_FILE, 3), (ErrorCode.TRUNCATED, 2)]
    assert [(one.code, one.n) for one in below] == [(ErrorCode.TRUNCATED, 1)]
