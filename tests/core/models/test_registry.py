"""Versions in and out of use: an append-only history that rolls back without toggling."""

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from core.base.database import Database
from core.base.errors import BadWeights, BlobMissing, Conflict, Gone, NotFound
from core.cleanup import deletion
from core.cleanup.purge import purge_all
from core.jobs import classify_jobs, job_states, jobs, retry
from core.jobs.progress import describe
from core.models import registry
from core.models.registry import FIRST_START, PROMOTED, ROLLED_BACK
from core.orm.models import Deployment, ModelVersion
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import (
    make_job,
    make_labelled,
    make_manifest,
    make_training,
    make_upload,
    make_version,
    run_job,
)

pytestmark = pytest.mark.usefixtures("version")


def promote(db: Database, version: int) -> None:
    with db.write() as session:
        registry.promote(session, version)


def roll_back(db: Database, in_use: int | None = None) -> int:
    with db.write() as session:
        return registry.roll_back(session, in_use).model_version_id


def history(db: Database) -> list[tuple[int, str]]:
    with db.read() as session:
        return [
            (one.model_version_id, one.reason) for one in reversed(registry.page_deployments(session, None, 100).items)
        ]


def version_of(db: Database, job: UUID) -> int | None:
    with db.read() as session:
        return jobs.get_job(session, job).model_version_id


def test_a_promoted_version_is_in_use(db: Database, version: int) -> None:
    other = make_version(db, "another")
    promote(db, other)
    with db.read() as session:
        assert registry.current_version(session).id == other
    assert history(db) == [(version, FIRST_START), (other, PROMOTED)]


def test_rolling_back_walks_further_back_and_never_toggles(db: Database, version: int) -> None:
    second, third = make_version(db, "second"), make_version(db, "third")
    promote(db, second)
    promote(db, third)
    assert [roll_back(db), roll_back(db)] == [second, version]
    with pytest.raises(Conflict, match="nothing to roll back to"):
        roll_back(db)
    assert history(db)[-2:] == [(second, ROLLED_BACK), (version, ROLLED_BACK)]


def test_after_a_roll_back_a_promotion_goes_on_from_there(db: Database, version: int) -> None:
    second, third = make_version(db, "second"), make_version(db, "third")
    promote(db, second)
    roll_back(db)
    promote(db, third)
    assert roll_back(db) == version  # the second one was taken back: it was not in use before the third
    with pytest.raises(Conflict):
        roll_back(db)


def test_promoting_the_version_in_use_leaves_the_history_alone(db: Database, version: int) -> None:
    other = make_version(db, "another")
    promote(db, other)
    promote(db, other)
    assert len(history(db)) == 2
    assert roll_back(db) == version


def test_a_roll_back_from_a_version_that_is_no_longer_in_use_changes_nothing(db: Database, version: int) -> None:
    promote(db, make_version(db, "another"))
    assert roll_back(db, in_use=version + 1) == version
    with pytest.raises(Conflict, match="Reload the page"):
        roll_back(db, in_use=version + 1)


def test_a_version_that_does_not_exist_cannot_be_promoted(db: Database) -> None:
    with pytest.raises(NotFound, match="no model version 99"):
        promote(db, 99)


def test_promotions_at_the_same_moment_stand_in_one_line(db: Database, version: int) -> None:
    others = [make_version(db, f"version {n}") for n in range(6)]
    threads = [threading.Thread(target=promote, args=(db, other)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        lines = session.execute(select(Deployment.id, Deployment.previous_id).order_by(Deployment.id)).all()
    assert [line.previous_id for line in lines] == [None, *(line.id for line in lines[:-1])]


def test_a_job_keeps_the_version_it_began_with(db: Database, blobs: Blobs, version: int) -> None:
    upload = make_upload(db, blobs)
    before = make_job(db, upload)
    other = make_version(db, "another")
    promote(db, other)
    after = make_job(db, upload)
    run_job(db, before)
    assert (version_of(db, before), version_of(db, after)) == (version, other)


def test_weights_that_are_not_those_of_the_manifest_are_refused(db: Database, blobs: Blobs, version: int) -> None:
    with db.read() as session:
        row = registry.get_version(session, version)
    with pytest.raises(BadWeights, match="are missing"):
        registry.fetch_weights(blobs, row)
    blobs.put(registry.weights_key(row.digest), b"other weights")
    with pytest.raises(BadWeights, match=f"expected {row.digest}"):
        registry.fetch_weights(blobs, row)
    whole = make_version(db, "another", weights=b"other weights")
    blobs.put(registry.weights_key(make_manifest(weights=b"other weights")["digest"]), b"other weights")
    with db.read() as session:
        registry.fetch_weights(blobs, registry.get_version(session, whole))


def delete(db: Database, version: int) -> None:
    with db.write() as session:
        deletion.delete_version(session, as_owner(session), version)


def list_ids(db: Database) -> list[int]:
    with db.read() as session:
        return [one.id for one in registry.page_versions(session, None, 100).items]


def test_a_deleted_version_is_gone_but_what_it_did_stays_readable(db: Database, blobs: Blobs, version: int) -> None:
    other = make_version(db, "another", weights=b"weights")
    key = registry.weights_key(make_manifest(weights=b"weights")["digest"])
    blobs.put(key, b"weights")
    promote(db, other)
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    promote(db, version)
    delete(db, other)
    assert list_ids(db) == [version]
    with db.read() as session, pytest.raises(Gone, match=f"version {other} has been deleted"):
        registry.find_version(session, str(other))
    with db.read() as session, pytest.raises(NotFound, match="a network's name"):
        registry.find_version(session, "another")
    purge_all(db, blobs)
    with pytest.raises(BlobMissing):
        blobs.get(key)
    assert history(db)[1] == (other, PROMOTED)
    with db.read() as session:
        assert describe(session, jobs.get_job(session, job)).network == "another"


def test_the_version_in_use_is_not_deleted(db: Database, version: int) -> None:
    with pytest.raises(Conflict, match=f"Version {version} is in use"):
        delete(db, version)
    assert list_ids(db) == [version]


def test_a_version_that_came_with_the_program_is_not_deleted(db: Database) -> None:
    with db.write() as session:
        shipped = registry.add_version(session, make_manifest("another") | {"who": "shipped"}).id
    with pytest.raises(Conflict, match="is part of Pawsort"):
        delete(db, shipped)


def test_a_version_that_a_running_job_needs_is_not_deleted(db: Database, blobs: Blobs, version: int) -> None:
    other = make_version(db, "another")
    promote(db, other)
    job = make_job(db, make_upload(db, blobs))
    promote(db, version)
    with pytest.raises(Conflict, match="needed by 1 job that"):
        delete(db, other)
    run_job(db, job)
    delete(db, other)


def test_a_version_that_a_training_starts_from_is_not_deleted(db: Database, blobs: Blobs) -> None:
    with db.write() as session:
        other = registry.add_version(session, make_manifest(weights=b"another")).id
    training = make_training(db, make_labelled(db, blobs), start_from=other)
    with pytest.raises(Conflict, match="needed by 1 job that"):
        delete(db, other)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), training)
    delete(db, other)
    with db.write() as session, pytest.raises(Gone, match=f"version {other} has been deleted"):
        retry.retry_job(session, as_owner(session), training)


def test_no_job_begins_or_goes_on_with_a_deleted_version(db: Database, blobs: Blobs) -> None:
    other, upload = make_version(db, "another"), make_upload(db, blobs)
    uuid = uuid4()
    with db.write() as session:
        classify_jobs.create_classify_job(session, as_owner(session), uuid, upload, model=str(other))
        job_states.cancel_job(session, as_owner(session), uuid)
    delete(db, other)
    with db.write() as session, pytest.raises(Gone, match="has been deleted"):
        classify_jobs.create_classify_job(session, as_owner(session), uuid4(), upload, model=str(other))
    with db.write() as session, pytest.raises(Gone, match="has been deleted"):
        retry.retry_job(session, as_owner(session), uuid)
    with pytest.raises(Gone, match="has been deleted"):
        promote(db, other)


def test_rolling_back_passes_over_deleted_versions(db: Database, version: int) -> None:
    second, third = make_version(db, "second"), make_version(db, "third")
    promote(db, second)
    promote(db, third)
    delete(db, second)
    assert roll_back(db) == version


def test_the_same_weights_trained_again_bring_a_deleted_version_back(db: Database, blobs: Blobs) -> None:
    other = make_version(db, "another")
    delete(db, other)
    purge_all(db, blobs)
    with db.write() as session:
        assert registry.add_version(session, make_manifest("another")).id == other
    assert other in list_ids(db)


def test_of_deleting_and_promoting_at_the_same_moment_one_is_refused(db: Database, version: int) -> None:
    other = make_version(db, "another")
    refused: list[Exception] = []

    def attempt(act: Callable[[Database, int], None]) -> None:
        try:
            act(db, other)
        except (Conflict, Gone) as error:
            refused.append(error)

    for _ in range(10):
        threads = [threading.Thread(target=attempt, args=(act,)) for act in (promote, delete)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with db.write() as session:
            in_use, is_there = registry.find_in_use(session), other in list_ids(db)
            assert (in_use == other) == is_there
            session.execute(update(ModelVersion).values(deleted_at=None))
        promote(db, version)
    assert len(refused) == 10
