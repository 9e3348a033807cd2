"""What versions say of the judging part: chosen, written, listed, measured and put side by side."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from core.base.database import Database
from core.base.errors import Conflict, Gone, Invalid, LeaseLost, NotFound
from core.base.states import JobState
from core.cleanup import deletion
from core.cleanup.purge import purge_all
from core.evaluation import evaluation_jobs, predictions, version_comparison
from core.evaluation.predictions import NewPrediction, PredictionFilter, PredictionRow
from core.evaluation.version_comparison import Comparison
from core.jobs import job_states
from core.labels import labels
from core.labels.labels import NewLabel
from core.models import registry
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.training import ContentSplit
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import claims
from core.training.claims import Claim
from core.training.splits import Split, split_of
from tests.support.actors import as_owner
from tests.support.factories import make_labelled, make_version

pytestmark = pytest.mark.usefixtures("version")


@pytest.fixture
def upload(db: Database, blobs: Blobs) -> UUID:
    return make_labelled(db, blobs, n_each=60)


def start(db: Database, version: int) -> int:
    with db.write() as session:
        return evaluation_jobs.create_evaluation_job(session, as_owner(session), version).id


def claim(db: Database, job_id: int) -> Claim:
    with db.write() as session:
        claimed = claims.claim_training(session, job_id, None, 60)
    assert claimed is not None
    return claimed


def judge(db: Database, version: int, said: Mapping[bytes, tuple[str, tuple[float, float]]]) -> Claim:
    """A judge job from start to end."""
    held = claim(db, start(db, version))
    rows = [NewPrediction(sha256, label, probabilities) for sha256, (label, probabilities) in said.items()]
    with db.write() as session:
        evaluation_jobs.finish_evaluation(session, held, version, rows)
    return held


def contents(db: Database) -> dict[bytes, str]:
    with db.write() as session:
        return {content.sha256: content.label for content in predictions.choose_contents(session)}


def listed(
    db: Database, version: int, true: str | None = None, called: str | None = None, sort: str = "doubt"
) -> list[PredictionRow]:
    """All pages, two rows each."""
    rows: list[PredictionRow] = []
    cursor = None
    while True:
        with db.read() as session:
            wanted = PredictionFilter(true, called, sort)
            page = predictions.list_predictions(session, version, wanted, cursor, 2)
        rows += page.items
        cursor = page.next
        if cursor is None:
            return rows


def name(n: int) -> bytes:
    return bytes([n]) * 32


def test_the_judging_part_of_everything_labelled_is_chosen_and_kept(db: Database, upload: UUID) -> None:
    chosen = contents(db)
    assert {split_of(sha256) for sha256 in chosen} == {Split.TEST}
    assert set(chosen.values()) == {"cat", "dog"}
    with db.read() as session:
        assert dict(session.execute(select(ContentSplit.sha256, ContentSplit.part)).all()) == dict.fromkeys(
            chosen, "judging"
        )


def test_people_outrank_folders(db: Database, upload: UUID) -> None:
    sha256, said = next(iter(contents(db).items()))
    other = "dog" if said == "cat" else "cat"
    with db.write() as session:
        image_id = session.scalars(select(Image.id).where(Image.sha256 == sha256)).one()
        labels.add_labels(session, None, [NewLabel(image_id, other)])
    assert contents(db)[sha256] == other


def test_a_job_ends_with_what_the_version_said(db: Database, upload: UUID, version: int) -> None:
    sha256, label = next(iter(contents(db).items()))
    held = judge(db, version, {sha256: (label, (0.7, 0.2))})
    (row,) = listed(db, version)
    assert (row.predicted, row.label, row.confidence, row.probabilities) == ("cat", label, 0.7, [0.7, 0.2])
    with db.read() as session:
        assert row.path == session.scalars(select(Image.path).where(Image.id == row.image_id)).one()
        assert session.get_one(Job, held.job_id).state == JobState.DONE


def test_judging_again_doubles_nothing_and_forgets_what_is_no_longer_judged(
    db: Database, upload: UUID, version: int
) -> None:
    judge(db, version, {name(1): ("cat", (0.7, 0.2)), name(2): ("cat", (0.6, 0.2))})
    judge(db, version, {name(2): ("dog", (0.6, 0.2)), name(3): ("dog", (0.1, 0.8))})
    assert {row.sha256: row.label for row in listed(db, version)} == {name(2): "dog", name(3): "dog"}


def test_what_a_training_asks_is_added_to_what_there_is(db: Database, upload: UUID, version: int) -> None:
    held = judge(db, version, {name(1): ("cat", (0.7, 0.2)), name(2): ("cat", (0.6, 0.2))})
    with db.write() as session:
        predictions.record(session, version, held.job_id, [NewPrediction(name(2), "dog", (0.6, 0.2))])
    assert {row.sha256: row.label for row in listed(db, version)} == {name(1): "cat", name(2): "dog"}


def test_a_worker_that_lost_its_lease_writes_nothing(db: Database, upload: UUID, version: int) -> None:
    job_id = start(db, version)
    held = claim(db, job_id)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), session.get_one(Job, job_id).uuid)
    with pytest.raises(LeaseLost), db.write() as session:
        evaluation_jobs.finish_evaluation(session, held, version, [NewPrediction(name(1), "cat", (0.7, 0.2))])
    assert listed(db, version) == []


def test_asking_twice_for_the_same_judging_gives_the_same_job(db: Database, upload: UUID, version: int) -> None:
    assert start(db, version) == start(db, version)


def test_nothing_is_judged_without_labels_and_no_version_that_is_not_there(db: Database, version: int) -> None:
    with pytest.raises(Invalid, match="nothing to evaluate on"):
        start(db, version)
    with pytest.raises(NotFound):
        start(db, 99)
    other = make_version(db, "another")
    with db.write() as session:
        deletion.delete_version(session, as_owner(session), other)
    with pytest.raises(Gone):
        start(db, other)


def test_an_id_that_another_job_has_is_refused(db: Database, upload: UUID, version: int) -> None:
    other, uuid = make_version(db, "another"), uuid4()
    with db.write() as session:
        evaluation_jobs.create_evaluation_job(session, as_owner(session), other, uuid=uuid)
    with pytest.raises(Conflict, match="does something else"), db.write() as session:
        evaluation_jobs.create_evaluation_job(session, as_owner(session), version, uuid=uuid)


SAID = {
    name(1): ("cat", (0.9, 0.1)),
    name(2): ("cat", (0.2, 0.8)),
    name(3): ("dog", (0.55, 0.45)),
    name(4): ("dog", (0.1, 0.9)),
    name(5): ("neither", (0.3, 0.3)),
}


def order(rows: list[PredictionRow]) -> list[int]:
    return [row.sha256[0] for row in rows]


def test_lists_are_in_order_of_doubt_or_of_error(db: Database, upload: UUID, version: int) -> None:
    judge(db, version, SAID)
    assert order(listed(db, version, sort="doubt")) == [5, 3, 2, 1, 4]
    assert order(listed(db, version, sort="error")) == [2, 5, 3, 1, 4]


def test_lists_are_narrowed_to_a_cell_of_the_confusion_matrix(db: Database, upload: UUID, version: int) -> None:
    judge(db, version, SAID)
    assert order(listed(db, version, true="cat", called="dog")) == [2]
    assert order(listed(db, version, called="dog")) == [2, 4]
    assert order(listed(db, version, true="neither")) == [5]


@pytest.mark.parametrize("wanted", [{"true": "bird"}, {"called": "neither"}, {"sort": "name"}])
def test_a_filter_that_does_not_exist_gets_a_sentence(db: Database, version: int, wanted: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="expected one of"):
        listed(db, version, **wanted)


def test_figures_are_those_of_all_that_was_said(db: Database, upload: UUID, version: int) -> None:
    judge(db, version, SAID)
    with db.read() as session:
        figures = predictions.measure_version(session, registry.get_version(session, version))
    assert (figures["n_images"], figures["accuracy"], figures["confusion"]) == (4, 0.5, [[1, 1], [1, 1]])
    assert (figures["n_neither"], figures["neither_unsure"], figures["unsure"]) == (1, 1.0, 0.25)


def test_a_picture_that_was_deleted_keeps_its_judgement(db: Database, upload: UUID, version: int) -> None:
    sha256, label = next(iter(contents(db).items()))
    judge(db, version, {sha256: (label, (0.7, 0.2))})
    with db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    (row,) = listed(db, version)
    assert (row.image_id, row.path, row.sha256) == (None, None, sha256)


def test_judgements_go_with_their_version(db: Database, blobs: Blobs, upload: UUID, version: int) -> None:
    other = make_version(db, "another")
    judge(db, other, SAID)
    judge(db, version, SAID)
    with db.write() as session:
        deletion.delete_version(session, as_owner(session), other)
    purge_all(db, blobs)
    with db.read() as session:
        counts = session.execute(select(Prediction.version_id, func.count()).group_by(Prediction.version_id)).all()
    assert [tuple(row) for row in counts] == [(version, len(SAID))]


def compare(db: Database, first: int, second: int) -> Comparison:
    with db.read() as session:
        versions = (registry.get_version(session, one) for one in (first, second))
        return version_comparison.compare(session, *versions)


def test_two_versions_are_compared_on_the_pictures_that_both_judged(db: Database, upload: UUID, version: int) -> None:
    other = make_version(db, "another")
    judge(db, version, SAID)
    judge(
        db,
        other,
        {
            name(1): ("cat", (0.8, 0.1)),
            name(2): ("cat", (0.7, 0.1)),
            name(3): ("dog", (0.2, 0.7)),
            name(4): ("cat", (0.1, 0.9)),  # said to be a dog when the first one was asked
            name(5): ("neither", (0.2, 0.5)),
            name(6): ("dog", (0.2, 0.8)),  # never asked of the first one
        },
    )
    both = compare(db, version, other)
    assert (both.n_images, both.n_left_out, both.n_differ) == (3, 1, 3)  # 2 and 3, and the picture of neither
    assert (both.both_right, both.only_first, both.only_second, both.both_wrong) == (1, 0, 2, 0)
    assert (both.first["accuracy"], both.second["accuracy"]) == (pytest.approx(1 / 3), 1)
    assert both.p_value == 0.5
    turned = compare(db, other, version)
    assert (turned.only_first, turned.only_second, turned.p_value) == (2, 0, 0.5)


def test_versions_without_common_pictures_have_nothing_to_compare(db: Database, version: int) -> None:
    both = compare(db, version, make_version(db, "another"))
    assert (both.n_images, both.n_differ, both.p_value, both.first) == (0, 0, 1.0, {"n_images": 0})


def test_pictures_on_which_they_differ_are_listed_page_by_page(db: Database, upload: UUID, version: int) -> None:
    other = make_version(db, "another")
    chosen = sorted(contents(db).items())
    judge(db, version, {sha256: (label, (0.9, 0.1)) for sha256, label in chosen})
    judge(db, other, {sha256: (label, (0.1, 0.9) if n % 2 else (0.8, 0.1)) for n, (sha256, label) in enumerate(chosen)})
    found, cursor = [], None
    while True:
        with db.read() as session:
            page = version_comparison.list_differences(session, version, other, cursor, 2)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert [one.first.predicted for one in found] == ["cat"] * (len(chosen) // 2)
    with db.read() as session:
        paths = dict(session.execute(select(Image.id, Image.sha256)).all())
    assert [paths[one.image_id] for one in found if one.image_id] == [sha256 for sha256, _ in chosen[1::2]]
