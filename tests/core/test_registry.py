"""Versions in and out of use: an append-only history that rolls back without toggling."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import select

from core import jobs, registry
from core.blobs import Blobs
from core.db import Database
from core.errors import BadWeights, BlobMissing, Conflict, NotFound
from core.orm import Deployment
from core.registry import FIRST_START, PROMOTED, ROLLED_BACK
from tests.factories import make_job, make_manifest, make_upload, make_version, run_job

pytestmark = pytest.mark.usefixtures("version")


def promote(db: Database, version: int) -> None:
    with db.write() as session:
        registry.promote(session, version)


def roll_back(db: Database, in_use: int | None = None) -> int:
    with db.write() as session:
        return registry.roll_back(session, in_use).model_version_id


def history(db: Database) -> list[tuple[int, str]]:
    with db.read() as session:
        return [(one.model_version_id, one.reason) for one in reversed(registry.list_deployments(session))]


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
    with pytest.raises(Conflict, match="somebody was faster"):
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
    with pytest.raises(BlobMissing):
        registry.check_weights(blobs, row)
    blobs.put(registry.weights_key(row.digest), b"other weights")
    with pytest.raises(BadWeights, match=f"expected {row.digest}"):
        registry.check_weights(blobs, row)
    whole = make_version(db, "another", weights=b"other weights")
    blobs.put(registry.weights_key(make_manifest(weights=b"other weights")["digest"]), b"other weights")
    with db.read() as session:
        registry.check_weights(blobs, registry.get_version(session, whole))
