"""Results as they are kept, listed and shown."""

from random import Random
from uuid import UUID

import pytest
from sqlalchemy import event, select, text, update

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import ErrorCode, Invalid, NotFound
from core.jobs import jobs, progress, results, retry
from core.jobs.confidence import MILLION, shown_label, to_millionths
from core.jobs.result_filter import ResultFilter, order_of
from core.jobs.results import ResultRow
from core.orm.jobs import Job
from core.orm.results import Result
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.uploads import stored_images
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_upload, run_job

OUTCOMES = {
    "photos/0.jpg": (0.95, 0.05),
    "photos/1.jpg": (0.3, 0.6),
    "photos/2.jpg": (0.02, 0.98),
    "photos/3.jpg": ErrorCode.TRUNCATED,
}


@pytest.fixture
def job(db: Database, blobs: Blobs, version: int) -> UUID:
    uuid = make_job(db, make_upload(db, blobs), threshold=0.8)
    run_job(db, uuid, OUTCOMES)
    return uuid


def pages(db: Database, uuid: UUID, wanted: ResultFilter, limit: int = 100) -> list[ResultRow]:
    rows, cursor = [], None
    while True:
        with db.read() as session:
            page = results.list_results(session, jobs.get_job(session, uuid), wanted, cursor, limit)
        rows += page.items
        cursor = page.next
        if cursor is None:
            return rows


def paths(rows: list[ResultRow]) -> list[str]:
    return [row.path.removeprefix("photos/") for row in rows]


def rate(db: Database, uuid: UUID) -> float | None:
    with db.read() as session:
        return progress.describe(session, jobs.get_job(session, uuid)).images_per_s


def test_rounded_probabilities_never_pass_one_together() -> None:
    random = Random(7)
    for _ in range(10_000):
        p_dog = random.random()
        millionths = to_millionths([1 - p_dog, p_dog])
        assert sum(millionths) <= MILLION
        assert abs(millionths[1] - p_dog * MILLION) <= 1


def test_a_confidence_exactly_at_the_threshold_is_sure() -> None:
    assert shown_label(0, 800_000, 800) == "cat"
    assert shown_label(0, 799_999, 800) == "unsure"
    assert shown_label(1, 1_000_000, 1000) == "dog"


def test_results_come_in_the_order_of_the_upload(db: Database, job: UUID) -> None:
    rows = pages(db, job, ResultFilter(), limit=2)
    assert [row.path for row in rows] == list(OUTCOMES)
    assert [row.label for row in rows] == ["cat", "unsure", "dog", None]
    assert rows[0].probabilities == [0.95, 0.05]


def test_a_failed_image_has_its_code_and_a_sentence(db: Database, job: UUID) -> None:
    (row,) = pages(db, job, ResultFilter(failed=True))
    assert row.error_code == "truncated"
    assert row.error == ErrorCode.TRUNCATED.sentence


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ResultFilter(label="cat"), ["0.jpg"]),
        (ResultFilter(label="unsure"), ["1.jpg"]),
        (ResultFilter(failed=False), ["0.jpg", "1.jpg", "2.jpg"]),
        (ResultFilter(error_code="truncated"), ["3.jpg"]),
        (ResultFilter(min_confidence=0.95), ["0.jpg", "2.jpg"]),
        (ResultFilter(max_confidence=0.95), ["0.jpg", "1.jpg"]),
        (ResultFilter(path="/2"), ["2.jpg"]),
        (ResultFilter(path="%"), []),
        (ResultFilter(sort="confidence"), ["1.jpg", "0.jpg", "2.jpg"]),
        (ResultFilter(sort="-confidence"), ["2.jpg", "0.jpg", "1.jpg"]),
        (ResultFilter(sort="path"), ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]),
    ],
)
def test_filters_and_orders(db: Database, job: UUID, wanted: ResultFilter, expected: list[str]) -> None:
    assert paths(pages(db, job, wanted, limit=1)) == expected


@pytest.mark.parametrize("wanted", [ResultFilter(label="bird"), ResultFilter(sort="size")])
def test_a_filter_that_does_not_exist_gets_a_sentence(db: Database, job: UUID, wanted: ResultFilter) -> None:
    with pytest.raises(Invalid, match="expected one of"):
        pages(db, job, wanted)


def test_a_cursor_of_another_list_gets_a_sentence(db: Database, job: UUID) -> None:
    with pytest.raises(Invalid, match="cursor"), db.read() as session:
        results.list_results(session, jobs.get_job(session, job), ResultFilter(), "nonsense", 10)


def test_an_image_is_readable_once_a_job_could_read_it(db: Database, job: UUID) -> None:
    good, *_, bad = pages(db, job, ResultFilter())
    with db.read() as session:
        assert stored_images.get_image(session, good.image_id).is_readable
        assert not stored_images.get_image(session, bad.image_id).is_readable


def test_an_unknown_image_is_not_found(db: Database, job: UUID) -> None:
    with pytest.raises(NotFound), db.read() as session:
        stored_images.get_image(session, 10**9)


def test_a_night_in_which_nothing_ran_does_not_slow_the_rate_down(db: Database, blobs: Blobs, version: int) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=4))
    with db.write() as session:
        session.execute(update(Job).values(started_at=db_now(-20), moved_at=db_now(-20)))
    run_job(db, job)
    assert rate(db, job) == pytest.approx(4 / 20, rel=0.5)
    with db.write() as session:
        session.execute(update(Job).values(moved_at=db_now(-80_000)))
        session.execute(update(Result).values(error_code=ErrorCode.TRUNCATED))
        session.execute(update(Job).values(n_done=0, n_failed=4))
        retry.retry_job(session, as_owner(session), job)
    run_job(db, job)
    assert rate(db, job) == pytest.approx(4 / 20, rel=0.5)


def test_a_long_stop_counts_as_a_minute(db: Database, blobs: Blobs, version: int) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=4))
    with db.write() as session:
        session.execute(update(Job).values(started_at=db_now(-80_000), moved_at=db_now(-80_000)))
    run_job(db, job)
    assert rate(db, job) == pytest.approx(4 / 60)


def test_paths_of_the_longest_allowed_length_are_listed_by_path(db: Database, blobs: Blobs, version: int) -> None:
    below = "/".join("".join(Random(part).choices("abcé猫😺", k=60)) for part in range(40))
    long_paths = [f"{below.encode()[:4090].decode(errors='ignore')}{n}.jpg" for n in range(3)]
    files = {path: draw_picture(n) for n, path in enumerate((*long_paths, "a.jpg"))}
    uuid = make_job(db, make_upload(db, blobs, files))
    run_job(db, uuid)
    rows = pages(db, uuid, ResultFilter(sort="path"), limit=1)
    assert [row.path for row in rows if len(row.path) > 9] == long_paths
    assert len(rows) == len(files)


def test_lists_by_path_are_read_from_an_index(db: Database, job: UUID) -> None:
    query = select(Image.id).where(Image.upload_id == 1).order_by(*order_of("path").by)
    with db.read() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
        explain = "EXPLAIN QUERY PLAN " if session.get_bind().dialect.name == "sqlite" else "EXPLAIN "
        sql = str(query.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
        plan = str(session.execute(text(explain + sql)).all())
    assert "ix_images_path" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ResultFilter(label="cat"), True),
        (ResultFilter(label="cat", sort="path"), True),
        (ResultFilter(label="cat", sort="confidence"), False),
        (ResultFilter(label="dog"), False),
        (ResultFilter(label="unsure"), True),
        (ResultFilter(neither="probable"), False),
        (ResultFilter(path="photos"), False),
    ],
)
def test_a_label_that_many_have_is_not_looked_up_in_an_index(
    db: Database, blobs: Blobs, version: int, wanted: ResultFilter, expected: bool
) -> None:
    """SQLite would read all of them and sort them for the first page; few are found by the index."""
    uuid = make_job(db, make_upload(db, blobs, {f"photos/{n}.jpg": b"%d" % n for n in range(60)}), threshold=0.8)
    unsure = {f"photos/{n}.jpg": (0.6, 0.3) for n in range(20)}
    run_job(db, uuid, unsure | {"photos/20.jpg": (0.1, 0.9), "photos/21.jpg": (0.1, 0.1)})
    statements: list[tuple[str, object]] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2:4]))
    with db.read() as session:
        row = jobs.get_job(session, uuid)
        assert results.lets_many_through(session, row, wanted) == expected
        statements.clear()
        results.list_results(session, row, wanted, None, 10)
        if db.engine.dialect.name != "sqlite":
            return
        query, parameters = statements[-1]
        first = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).all()[0]
    assert "images" in first[3] or not expected, "the outer loop goes through the images in their order"
