"""Labels from a list: what changes, in one batch, undone in one go."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from core.base.database import Database
from core.base.errors import Conflict, Forbidden, NotFound
from core.base.states import BatchKind
from core.jobs.result_filter import ResultFilter
from core.labels.labels import NewLabel
from core.review import bulk_labels, label_lists
from core.review.label_lists import ListOutcome, Relabelling
from core.storage.blobs import Blobs
from tests.support.actors import as_owner, as_person
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

pytestmark = pytest.mark.usefixtures("version")

OUTCOMES = {f"p/{n}.jpg": (0.9, 0.05) for n in range(4)}


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}))
    run_job(db, job, OUTCOMES)
    return job


def add(db: Database, batch: UUID, job: UUID, said: Sequence[str | None]) -> ListOutcome:
    rows = read_results(db, job)[: len(said)]
    items = [NewLabel(row.image_id, label) for row, label in zip(rows, said, strict=True)]
    with db.write() as session:
        return label_lists.add_list(session, as_owner(session), batch, items)


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def undo(db: Database, batch: UUID) -> None:
    with db.write() as session:
        uuid = bulk_labels.undo_batch(session, as_owner(session), uuid4(), batch).uuid
    bulk_labels.run_batch(db, uuid, 60)


def test_only_what_changes_is_written_and_the_batch_is_undone_as_a_whole(db: Database, job: UUID) -> None:
    add(db, uuid4(), job, ["cat", "cat"])
    batch = uuid4()
    outcome = add(db, batch, job, ["cat", "dog", "neither"])
    assert (outcome.n_labels, outcome.n_unchanged) == (2, 1)
    assert outcome.changes == [Relabelling("cat", "dog", 1), Relabelling(None, "neither", 1)]
    assert add(db, batch, job, ["cat", "dog", "neither", None]) == ListOutcome(0, 4, [])
    add(db, batch, job, [None])
    assert words(db, job) == [None, "dog", "neither", None]
    undo(db, batch)
    assert words(db, job) == ["cat", "cat", None, None]


def test_of_several_items_for_one_content_the_last_one_counts(db: Database, job: UUID) -> None:
    image_id = read_results(db, job)[0].image_id
    with db.write() as session:
        items = [NewLabel(image_id, "dog"), NewLabel(image_id, "neither")]
        outcome = label_lists.add_list(session, as_owner(session), uuid4(), items)
    assert (outcome.n_labels, words(db, job)[0]) == (1, "neither")


def test_nothing_is_written_when_an_image_is_not_there(db: Database, job: UUID) -> None:
    items = [NewLabel(read_results(db, job)[0].image_id, "dog"), NewLabel(10**9, "dog")]
    with pytest.raises(NotFound), db.write() as session:
        label_lists.add_list(session, as_owner(session), uuid4(), items)
    assert words(db, job) == [None] * 4


def test_a_batch_that_was_undone_or_is_of_another_kind_takes_no_more(db: Database, job: UUID) -> None:
    batch, of_job = uuid4(), uuid4()
    add(db, batch, job, ["dog"])
    undo(db, batch)
    with pytest.raises(Conflict, match="was undone"):
        add(db, batch, job, ["dog"])
    with db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), of_job, job, BatchKind.LABEL, ResultFilter(), "cat")
    with pytest.raises(Conflict, match="different batch"):
        add(db, of_job, job, ["dog"])


def test_nobody_adds_to_the_batch_of_somebody_else(db: Database, job: UUID) -> None:
    batch = uuid4()
    add(db, batch, job, ["dog"])
    items = [NewLabel(read_results(db, job)[1].image_id, "dog")]
    with pytest.raises(Forbidden), db.write() as session:
        label_lists.add_list(session, as_person(session, "ben"), batch, items)
