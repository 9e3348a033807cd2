"""Labels of folders: from when on they count, and how they are withdrawn."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from core.base.database import Database
from core.base.errors import Forbidden, Invalid
from core.base.states import BatchKind, JobState
from core.cleanup import deletion
from core.cleanup.purge import purge_all
from core.evaluation import unbiased_labels
from core.ingest import shard_rows
from core.jobs import job_states, jobs, retry
from core.jobs.result_filter import ResultFilter
from core.labels import counts, disagreements, folder_labels, history, labelled_uploads, labels
from core.labels.labels import NewLabel
from core.orm.labels import PendingLabel
from core.review import bulk_labels
from core.storage.blobs import Blobs
from core.training import claims, training_jobs
from tests.support.actors import as_owner, as_person
from tests.support.deadlines import within
from tests.support.factories import (
    make_job,
    make_manifest,
    make_training,
    make_upload,
    read_results,
    run_job,
)

pytestmark = pytest.mark.usefixtures("version")

PICTURES = {f"{kind}s/{n}.jpg": f"{kind} {n}".encode() for kind in ("cat", "dog") for n in range(40)}
FEW = {path: content for path, content in PICTURES.items() if path.endswith("/0.jpg")}
SAID = ["cat", "dog"]
NOTHING = [None, None]


def make_earlier(db: Database, blobs: Blobs) -> UUID:
    """A job over a cat and a dog that nobody has labelled."""
    job = make_job(db, make_upload(db, blobs, {f"photos/{n}.jpg": one for n, one in enumerate(FEW.values())}))
    run_job(db, job)
    return job


def send_for_training(db: Database, blobs: Blobs, files: dict[str, bytes] = PICTURES) -> UUID:
    return make_upload(db, blobs, files, labelled=True, for_training=True)


def human_labels(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def say(db: Database, image_id: int, label: str | None, key: UUID | None = None) -> None:
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, label, key=key)])


def withdraw(db: Database, upload: UUID) -> int:
    with db.write() as session:
        return folder_labels.withdraw(session, as_owner(session), upload)


def cancel(db: Database, training: UUID) -> None:
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), training)


def n_new(db: Database) -> list[int]:
    """How many contents are labelled, as each of those that count says."""
    with db.read() as session:
        found = training_jobs.preview_data(session, as_owner(session), None)
        return [counts.count_new(session, 0), counts.count_since_training(session, 1), len(found.contents)]


def test_labels_of_a_complete_upload_count(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    make_upload(db, blobs, FEW, labelled=True)
    assert human_labels(db, earlier) == SAID


def test_labels_of_an_upload_that_is_still_arriving_do_not_count(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    upload = make_upload(db, blobs, FEW, labelled=True, is_complete=False)
    assert human_labels(db, earlier) == NOTHING
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, partial=True)
    assert human_labels(db, earlier) == SAID


def test_a_refused_training_leaves_the_results_of_earlier_jobs_as_they_were(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    upload = send_for_training(db, blobs, FEW)
    with pytest.raises(Invalid, match="at least 10"):
        make_training(db, upload)
    assert human_labels(db, earlier) == NOTHING
    assert n_new(db) == [0, 0, 0]


def test_labels_count_from_the_acceptance_of_their_training(db: Database, blobs: Blobs) -> None:
    earlier, upload = make_earlier(db, blobs), send_for_training(db, blobs)
    assert human_labels(db, earlier) == NOTHING
    make_training(db, upload)
    assert human_labels(db, earlier) == SAID
    assert n_new(db) == [80, 80, 80]


def test_nobody_else_makes_labels_count_by_training_on_an_upload_that_waits(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    upload = make_upload(db, blobs, PICTURES, labelled=True, for_training=True, by="ada")
    with pytest.raises(Forbidden, match=r"do not count yet.*you are “bob”"):
        make_training(db, upload, by="bob")
    with pytest.raises(Forbidden, match="do not count yet"), db.read() as session:
        training_jobs.preview_data(session, as_person(db, "bob"), [upload])
    assert human_labels(db, earlier) == NOTHING
    make_training(db, upload, by="ada")
    assert human_labels(db, earlier) == SAID
    make_training(db, upload, by="bob")


def test_nobody_else_makes_labels_count_again_by_retrying_a_training(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    upload = make_upload(db, blobs, PICTURES, labelled=True, for_training=True, by="ada")
    adas, bobs = make_training(db, upload, by="ada"), make_training(db, upload, by="bob")
    cancel(db, adas)
    cancel(db, bobs)
    assert human_labels(db, earlier) == NOTHING
    with pytest.raises(Forbidden, match="do not count yet"), db.write() as session:
        retry.retry_job(session, as_person(session, "bob"), bobs)
    assert human_labels(db, earlier) == NOTHING
    with db.read() as session:
        assert jobs.get_job(session, bobs).state == JobState.CANCELLED
    with db.write() as session:
        retry.retry_job(session, as_person(session, "ada"), adas)
    assert human_labels(db, earlier) == SAID


def test_the_preview_of_a_training_counts_labels_that_wait_for_it(db: Database, blobs: Blobs) -> None:
    upload = send_for_training(db, blobs)
    with db.read() as session:
        found = training_jobs.preview_data(session, as_owner(session), [upload])
        assert found.by_class == {"cat": 40, "dog": 40, "neither": 0}
        assert unbiased_labels.count_biased(session, {one.sha256: one.label for one in found.contents}) == 0
        assert [one.n_labelled for one in labelled_uploads.find_uploads(session, [upload])] == [80]


def test_cancelling_a_training_before_a_version_withdraws_its_labels(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    cancel(db, make_training(db, send_for_training(db, blobs)))
    assert human_labels(db, earlier) == NOTHING
    assert n_new(db) == [0, 0, 0]


def test_a_training_that_fails_withdraws_its_labels(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    training = make_training(db, send_for_training(db, blobs))
    with db.write() as session:
        job_states.fail_job(session, jobs.get_job(session, training).id, "It cannot be.")
    assert human_labels(db, earlier) == NOTHING


def test_labels_stay_when_a_deleted_training_has_made_a_version(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    training = make_training(db, send_for_training(db, blobs))
    with db.write() as session:
        claim = claims.claim_training(session, jobs.get_job(session, training).id, None, 60)
        assert claim is not None
        claims.finish(session, claim, make_manifest(weights=b"new"))
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), training)
    purge_all(db, blobs)
    assert human_labels(db, earlier) == SAID


def test_retrying_a_cancelled_training_lets_its_labels_count_again(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    training = make_training(db, send_for_training(db, blobs))
    cancel(db, training)
    with db.write() as session:
        retry.retry_job(session, as_owner(session), training)
    assert human_labels(db, earlier) == SAID


def test_cancelling_keeps_labels_that_another_training_uses(db: Database, blobs: Blobs) -> None:
    earlier, upload = make_earlier(db, blobs), send_for_training(db, blobs)
    training = make_training(db, upload)
    make_training(db, upload)
    cancel(db, training)
    assert human_labels(db, earlier) == SAID


def test_cancelling_keeps_labels_that_did_not_come_for_a_training(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    cancel(db, make_training(db, make_upload(db, blobs, PICTURES, labelled=True)))
    assert human_labels(db, earlier) == SAID


def test_deleting_an_upload_that_no_job_uses_withdraws_its_labels(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    for upload in (make_upload(db, blobs, FEW, labelled=True), send_for_training(db, blobs, FEW)):
        with db.write() as session:
            deletion.delete_upload(session, as_owner(session), upload)
    purge_all(db, blobs)
    assert human_labels(db, earlier) == NOTHING
    with db.read() as session:
        assert session.query(PendingLabel).count() == 0


def test_the_labels_of_an_upload_are_withdrawn_as_a_whole(db: Database, blobs: Blobs) -> None:
    earlier, upload = make_earlier(db, blobs), make_upload(db, blobs, PICTURES, labelled=True)
    assert withdraw(db, upload) == 80
    assert human_labels(db, earlier) == NOTHING
    assert n_new(db) == [0, 0, 0]
    assert withdraw(db, upload) == 0, "a repeated call changes nothing"


def test_withdrawing_keeps_labels_of_other_uploads_and_of_people(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    make_upload(db, blobs, {"cats/0.jpg": b"cat 0"}, labelled=True)
    swapped = make_upload(db, blobs, {"dogs/0.jpg": b"cat 0", "cats/0.jpg": b"dog 0"}, labelled=True)
    say(db, read_results(db, earlier)[1].image_id, "neither")
    assert human_labels(db, earlier) == ["dog", "neither"]
    withdraw(db, swapped)
    assert human_labels(db, earlier) == ["cat", "neither"]


def test_labels_of_a_deleted_job_stay_until_they_are_withdrawn(db: Database, blobs: Blobs) -> None:
    earlier, upload = make_earlier(db, blobs), make_upload(db, blobs, FEW, labelled=True)
    job = make_job(db, upload)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    purge_all(db, blobs)
    assert human_labels(db, earlier) == SAID
    withdraw(db, upload)
    assert human_labels(db, earlier) == NOTHING


def test_a_persons_null_takes_a_folders_label_back(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    make_upload(db, blobs, FEW, labelled=True)
    image_id = read_results(db, earlier)[0].image_id
    key = uuid4()
    say(db, image_id, None, key)
    assert human_labels(db, earlier) == [None, "dog"]
    assert n_new(db) == [1, 1, 1]
    with db.write() as session:
        labels.add_labels(session, None, [NewLabel(image_id, None, undoes=key)])
    assert human_labels(db, earlier) == SAID, "undoing it brings the folder's label back"


def test_a_folder_sent_after_a_persons_null_counts(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    make_upload(db, blobs, FEW, labelled=True)
    say(db, read_results(db, earlier)[0].image_id, None)
    make_upload(db, blobs, {"dogs/other.jpg": b"cat 0"}, labelled=True)
    assert human_labels(db, earlier) == ["dog", "dog"]


def test_a_bulk_null_takes_folders_labels_back(db: Database, blobs: Blobs) -> None:
    earlier = make_earlier(db, blobs)
    make_upload(db, blobs, FEW, labelled=True)
    batch = uuid4()
    with db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), batch, earlier, BatchKind.LABEL, ResultFilter())
    assert bulk_labels.run_batch(db, batch, 60).n_labels == 2
    assert human_labels(db, earlier) == NOTHING


def test_a_withdrawn_label_contradicts_nobody(db: Database, blobs: Blobs) -> None:
    earlier, upload = make_earlier(db, blobs), make_upload(db, blobs, FEW, labelled=True)
    say(db, read_results(db, earlier)[0].image_id, "dog")
    with db.read() as session:
        assert disagreements.list_disagreements(session, "folders", 10)[1] == 1
    withdraw(db, upload)
    with db.read() as session:
        assert disagreements.list_disagreements(session, "folders", 10)[1] == 0


def test_the_history_shows_what_was_withdrawn(db: Database, blobs: Blobs) -> None:
    earlier, upload = make_earlier(db, blobs), make_upload(db, blobs, FEW, labelled=True)
    withdraw(db, upload)
    with db.read() as session:
        page = history.list_history(session, read_results(db, earlier)[0].image_id, None, 10)
    assert [(one.label, one.source, one.upload, one.is_undone, one.counts) for one in page.items] == [
        (None, "folder", upload, False, False),
        ("cat", "folder", upload, True, False),
    ]
    assert page.items[0].undoes == page.items[1].id


def test_withdrawing_waits_for_a_training_that_is_being_cancelled(db: Database, blobs: Blobs) -> None:
    """What the training puts back is withdrawn, too, and neither waits for the other."""
    upload = make_upload(db, blobs, PICTURES, labelled=True, for_training=True)
    training = make_training(db, upload)
    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            job_states.cancel_job(session, as_owner(session), training)
            withdrawing = pool.submit(withdraw, db, upload)
            time.sleep(0.2)  # by then it waits; the outcome must be the same if it does not
        withdrawing.result(within(30))
    with db.read() as session:
        assert not session.scalars(select(PendingLabel)).all()
