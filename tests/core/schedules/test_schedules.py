"""Schedules: what they may be told, what is refused at once and in which words, edits, deletion."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.base.database import Database
from core.base.errors import Conflict, Gone, Invalid, LeaseLost, NotFound
from core.base.network_catalog import DEFAULT_TRAINED
from core.base.states import RunState
from core.cleanup import deletion
from core.models import registry
from core.orm.models import ModelVersion
from core.orm.schedules import Schedule
from core.schedules import due_runs, runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.evaluated_versions import judge, make_judged, right
from tests.support.factories import make_labelled, make_manifest, make_upload

RETRAIN = {"network": "seed-cnn"}
CLEAN_UP = {"older_than_days": 30}


def create(db: Database, roots: list[str] | None = None, **given: Any) -> Schedule:
    wanted = {"name": "nightly", "kind": "clean_up", "cron": "0 3 * * *", "parameters": CLEAN_UP} | given
    with db.write() as session:
        return schedules.create_schedule(session, as_owner(session), NewSchedule(**wanted), roots or [])


def retrain(db: Database, **parameters: Any) -> Schedule:
    return create(db, kind="retrain", parameters=RETRAIN | parameters)


def change(db: Database, schedule: Schedule, revision: int | None = None, **changes: Any) -> Schedule:
    with db.write() as session:
        return schedules.update_schedule(session, as_owner(session), schedule.id, changes, [], revision)


def test_a_new_schedule_knows_when_it_comes_due_and_what_it_was_not_told(db: Database) -> None:
    schedule = retrain(db)
    assert schedule.next_run_at is not None
    assert schedule.next_run_at.strftime("%H:%M %Z") == "03:00 UTC"
    assert schedule.parameters["outcome"] == "keep"
    assert schedule.parameters["uploads"] is None


@pytest.mark.parametrize(("in_use", "network"), [("seed-cnn", "seed-cnn"), ("other", DEFAULT_TRAINED)])
def test_the_network_that_is_trained_is_that_of_the_version_in_use_if_it_can_be(
    db: Database, in_use: str, network: str
) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest(in_use)])
    assert create(db, kind="retrain", parameters={}).parameters["network"] == network


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "name: expected 1 to 200 characters"),
        ({"name": "a\nb"}, "name: expected"),
        ({"kind": "dance"}, "kind: expected one of retrain, classify, clean_up, back_up; got 'dance'"),
        ({"cron": "0 0 30 2 *"}, "matches no date"),
        ({"cron": "0 3 * *"}, "expected five fields"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone: expected a name such as"),
        ({"cron": None}, "either a cron line .* got neither"),
        ({"every_n_labels": 5}, "got both"),
        ({"cron": None, "every_n_labels": 5}, "only schedules that retrain wait for labels"),
        ({"parameters": {}}, "older_than_days or below_bytes"),
        ({"parameters": {"older_than_days": -1}}, "older_than_days: expected a number from 0"),
        ({"parameters": {"older_than_days": float("nan")}}, "older_than_days: expected a number from 0"),
        ({"parameters": {"below_bytes": 1.5}}, "below_bytes: expected a whole number"),
        ({"parameters": {"older_than": 3}}, "has no older_than; it has older_than_days"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said_at_once(db: Database, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        create(db, **wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"network": "resnet"}, "network: expected one of"),
        ({"start_from": 3}, "start_from: expected in_use or anew"),
        ({"outcome": "hope"}, "outcome: expected keep or promote"),
        ({"min_new_labels": -1}, "min_new_labels: expected a whole number"),
        ({"training": {"epochs": 0}}, "epochs: expected a whole number from 1"),
        ({"training": {"network": "seed-cnn"}}, "without network and start_from"),
        ({"training": [3]}, "training: expected values by name"),
        ({"labels_since": "yesterday"}, "labels_since: expected a day"),
        ({"labels_since": "2999-01-01"}, "is in the future"),
        ({"uploads": []}, "uploads: choose 1 to 1000 of them"),
        ({"uploads": ["x"]}, "uploads: expected ids"),
        ({"uploads": [str(uuid4())]}, "uploads: there is no upload"),
        ({"min_gain": 1.5}, "min_gain: expected a share from 0 to 1"),
        ({"max_p": 0}, "max_p: expected a number from"),
        ({"max_class_loss": -0.1}, "max_class_loss: expected a share"),
    ],
)
def test_what_is_wrong_with_a_training_is_said_at_once(db: Database, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        retrain(db, **wrong)


def test_a_schedule_that_names_a_deleted_upload_is_refused(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    assert retrain(db, uploads=[str(upload)]).parameters["uploads"] == [str(upload)]
    with db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    with pytest.raises(Invalid, match=f"uploads: {upload} has been deleted. Choose others"):
        create(db, name="another", kind="retrain", parameters=RETRAIN | {"uploads": [str(upload)]})


def test_a_schedule_that_names_an_upload_under_way_is_refused(db: Database, blobs: Blobs) -> None:
    with pytest.raises(Invalid, match="still arriving"):
        retrain(db, uploads=[str(make_upload(db, blobs, is_complete=False))])


def test_a_gate_that_nothing_can_pass_is_refused(db: Database) -> None:
    manifest = make_manifest() | {"metrics": {"judging": {"accuracy": 0.985}}}
    with db.write() as session:
        registry.register_shipped(session, [manifest])
    with pytest.raises(Invalid, match=r"in use, is right on 98.5 % .* nothing can be better by 2.0 points"):
        retrain(db, outcome="promote", min_gain=0.02)
    assert retrain(db, outcome="promote", min_gain=0.01).parameters["min_gain"] == 0.01


def test_a_version_that_is_right_on_all_of_few_pictures_makes_no_gate_impossible(db: Database, blobs: Blobs) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest() | {"metrics": {"judging": {"accuracy": 0.985}}}])
        version = registry.current_version(session).id
    said = make_judged(db, blobs)
    judge(db, version, said, right)
    assert 0 < len(said) < 200
    assert retrain(db, outcome="promote", min_gain=0.01).parameters["min_gain"] == 0.01


def test_a_version_that_was_deleted_classifies_for_no_schedule(db: Database, tmp_path: Path) -> None:
    with db.write() as session:
        session.add(ModelVersion(network="seed-cnn", digest="d", manifest=make_manifest()))
        session.flush()
        deletion.delete_version(session, as_owner(session), 1)
    for model in ("1", "99999999999999999999", "resnet"):
        with pytest.raises(Invalid, match="model: "):
            create(db, [str(tmp_path)], kind="classify", parameters={"source": str(tmp_path), "model": model})


def test_two_schedules_cannot_share_a_name_until_one_is_deleted(db: Database) -> None:
    first = create(db)
    with pytest.raises(Conflict, match="already"):
        create(db)
    with db.write() as session:
        schedules.delete_schedule(session, as_owner(session), first.id)
    assert create(db).id != first.id


def test_an_edit_changes_what_it_names_and_nothing_else(db: Database) -> None:
    schedule = create(db)
    changed = change(db, schedule, name="weekly", cron="0 3 * * SUN")
    assert (changed.name, changed.cron, changed.parameters) == ("weekly", "0 3 * * SUN", schedule.parameters)
    assert changed.next_run_at is not None
    assert changed.next_run_at.isoweekday() == 7
    assert changed.revision == schedule.revision + 1


def test_an_edit_of_the_name_alone_leaves_the_next_run_where_it_is(db: Database) -> None:
    schedule = create(db)
    assert change(db, schedule, name="other").next_run_at == schedule.next_run_at


def test_an_edit_of_what_somebody_else_has_changed_is_refused(db: Database) -> None:
    schedule = create(db)
    change(db, schedule, schedule.revision, name="other")
    with pytest.raises(Conflict, match="was changed in the meantime"):
        change(db, schedule, schedule.revision, name="mine")


def test_a_paused_schedule_has_no_next_run(db: Database) -> None:
    schedule = create(db)
    assert change(db, schedule, is_on=False).next_run_at is None
    assert change(db, schedule, is_on=True).next_run_at == schedule.next_run_at


def test_run_now_says_who_and_is_refused_while_the_last_run_goes_on(db: Database) -> None:
    schedule = create(db)
    with db.write() as session:
        run = due_runs.run_now(session, as_owner(session), schedule.id)
        assert run.state == RunState.WAITING
        with pytest.raises(Conflict, match="has not ended yet"):
            due_runs.run_now(session, as_owner(session), schedule.id)
    with db.read() as session:
        assert schedules.get_schedule(session, schedule.id).next_run_at == schedule.next_run_at


def test_a_deleted_schedule_is_gone_but_its_runs_stay(db: Database) -> None:
    schedule = create(db)
    with db.write() as session:
        run = due_runs.run_now(session, as_owner(session), schedule.id)
        schedules.delete_schedule(session, as_owner(session), schedule.id)
    with db.read() as session:
        with pytest.raises(Gone):
            schedules.get_schedule(session, schedule.id)
        with pytest.raises(NotFound):
            schedules.get_schedule(session, 99)
        ended = runs.get_run(session, schedule.id, run.id).run
        assert (ended.state, ended.outcome[:24]) == (RunState.SKIPPED, "The schedule was deleted")
        assert schedules.list_schedules(session).items == []


def test_runs_are_listed_page_by_page_newest_first(db: Database) -> None:
    schedule = create(db)
    for _ in range(5):
        with db.write() as session:
            run = due_runs.run_now(session, as_owner(session), schedule.id)
            claim = runs.claim_run(session, run.id, 60)
            assert claim is not None
            runs.end_run(session, claim, RunState.DONE, "done")
    with db.read() as session:
        first = runs.list_runs(session, schedule.id, None, 3)
        rest = runs.list_runs(session, schedule.id, first.next, 3)
    ids = [view.run.id for view in first.items + rest.items]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest.next) == (5, None)


def test_a_run_that_was_released_is_not_taken_again_by_a_renewal_that_comes_late(db: Database) -> None:
    schedule = create(db)
    with db.write() as session:
        run = due_runs.run_now(session, as_owner(session), schedule.id)
        claim = runs.claim_run(session, run.id, 60)
        assert claim is not None
        runs.renew_lease(session, claim, 60)
        assert runs.claim_run(session, run.id, 60) is None
        runs.release_run(session, claim)
    with db.write() as session, pytest.raises(LeaseLost, match="was released"):
        runs.renew_lease(session, claim, 60)
    with db.write() as session:
        assert runs.list_ready(session) == [run.id]
