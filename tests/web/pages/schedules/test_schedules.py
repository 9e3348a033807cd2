"""The pages of schedules, without a browser: forms that say what is wrong, lists, runs that say why."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.base.config import Settings
from core.base.database import Database
from core.base.states import RunState, ScheduleKind
from core.cleanup import deletion
from core.orm.schedules import Schedule
from core.schedules import due_runs, runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import make_labelled
from tests.support.login import log_in
from web.app import App

DATABASES = ("sqlite",)
WEEKLY = {"repeat": "weekly", "weekday": "SUN", "month_day": "1", "time": "03:00"}
PROMOTED = {
    "candidate": 7,
    "in_use": 3,
    "is_promoted": True,
    "is_too_few": False,
    "n_new_labels": 612,
    "started_from": 3,
    "gate": {
        "n_images": 430,
        "in_use": 0.95,
        "candidate": 0.97,
        "only_in_use": 3,
        "only_candidate": 12,
        "p_value": 0.035,
        "by_class": {
            "cat": {"n_images": 215, "in_use": 0.94, "candidate": 0.96},
            "dog": {"n_images": 215, "in_use": 0.96, "candidate": 0.98},
        },
    },
}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"import_roots": str(tmp_path)})


@pytest.fixture
def browser(app: App, token: str) -> FlaskClient:
    """A logged-in browser that asks for pages."""
    client = app.test_client()
    log_in(client, token)
    client.environ_base["HTTP_ACCEPT"] = "text/html"
    return client


def get(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def post(browser: FlaskClient, path: str, **form: Any) -> TestResponse:
    (token,) = re.findall(r'name="csrf-token" content="([^"]+)"', get(browser, "/schedules"))
    return browser.post(path, data={"csrf_token": token, **form})


def clean_up(**changes: Any) -> dict[str, Any]:
    typed = {"kind": "clean_up", "name": "Tidy", "time_zone": "Europe/Berlin"}
    return WEEKLY | typed | {"older_than_days": "30", "keep_labelled": "1"} | changes


def retrain(**changes: Any) -> dict[str, Any]:
    typed = WEEKLY | {"kind": "retrain", "name": "Sunday", "time_zone": "UTC", "network": "seed-cnn"}
    gate = {"outcome": "promote", "min_gain": "0.5", "max_p": "0.05", "max_class_loss": "2"}
    return typed | gate | {"start_from": "in_use", "data": "all", "min_new_labels": "100"} | changes


def only_schedule(db: Database) -> Schedule:
    with db.read() as session:
        (schedule,) = schedules.list_schedules(session).items
        return schedule


def end_run(db: Database, run_id: int, outcome: str, **details: Any) -> None:
    with db.write() as session:
        claim = runs.claim_run(session, run_id, 60)
        assert claim is not None
        runs.end_run(session, claim, RunState.DONE, outcome, **details)


def test_the_empty_page_says_what_a_schedule_is(browser: FlaskClient) -> None:
    text = get(browser, "/schedules")
    assert "Nothing is scheduled yet" in text
    assert 'aria-current="page">Schedules' in text


@pytest.mark.parametrize("kind", ScheduleKind)
def test_each_kind_has_a_form(browser: FlaskClient, kind: str) -> None:
    text = get(browser, f"/schedules/new?kind={kind}")
    assert f'name="kind" value="{kind}"' in text
    assert browser.get("/schedules/new?kind=dance").status_code == 404


def test_days_and_a_time_are_shown_in_words_with_the_next_five_times_before_anything_is_saved(
    browser: FlaskClient, db: Database
) -> None:
    answer = post(browser, "/schedules/new", **clean_up(look="1"))
    assert answer.status_code == 200
    assert "Every Sunday at 03:00" in answer.text
    assert len(re.findall(r"<li>Sunday, \d+ \w{3} \d{4}, 03:00</li>", answer.text)) == 5
    with db.read() as session:
        assert schedules.list_schedules(session).items == []


def test_a_schedule_is_made_listed_and_shown(browser: FlaskClient, db: Database) -> None:
    answer = post(browser, "/schedules/new", **retrain())
    schedule = only_schedule(db)
    assert urlsplit(answer.location).path == f"/schedules/{schedule.id}"
    assert (schedule.parameters["min_gain"], schedule.parameters["max_class_loss"]) == (0.005, 0.02)
    page = get(browser, f"/schedules/{schedule.id}")
    assert "promotes the new version if it is right on 0.5 points more" in page
    assert "<dd>more than the last layer, epoch by epoch</dd>" in page
    assert "It has not run yet." in page
    assert "Every Sunday at 03:00 (UTC)" in get(browser, "/schedules")


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        (clean_up(repeat="cron", cron="0 0 30 2 *"), "cron", "matches no date"),
        (clean_up(repeat="cron"), "cron", "Enter a cron line, or choose days and a time."),
        (clean_up(repeat=""), "repeat", "Choose when it runs."),
        (clean_up(weekday="MOON"), "repeat", "Choose a day"),
        (clean_up(time="25:00"), "time", "Expected a time such as 03:00; got"),
        (retrain(repeat="labels"), "every_n_labels", "Enter a number of new labels."),
        (clean_up(time_zone="Europe/Atlantis"), "time_zone", "Expected a name such as Europe/Berlin"),
        (clean_up(name=""), "name", "Expected 1 to 200 characters"),
        (clean_up(older_than_days="a while"), "older_than_days", "Expected a number; got"),
        (clean_up(older_than_days=""), "parameters", "Fill in one of the two fields"),
        (retrain(min_gain="101"), "min_gain", "Expected points from 0 to 100"),
        (retrain(epochs="0"), "epochs", "Expected a whole number from 1"),
        (retrain(data="chosen"), "data", "Choose 1 to 1000 of them, or everything labelled; 0 are chosen"),
        (retrain(repeat="labels", every_n_labels="many"), "every_n_labels", "Expected a whole number"),
        (clean_up(kind="classify", source="/etc"), "source", "outside the folders that this server may read"),
        (clean_up(kind="classify"), "source", "Expected the path of a folder"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    browser: FlaskClient, form: dict[str, Any], field: str, sentence: str
) -> None:
    answer = post(browser, "/schedules/new", **form)
    assert answer.status_code == 422
    (said,) = re.findall(rf'id="wrong-{field}">([^<]+)<', answer.text)
    assert sentence in said.replace("&#39;", "'")
    assert 'name="name" value="' in answer.text


def test_everything_that_is_wrong_is_said_at_once(browser: FlaskClient) -> None:
    typed = retrain(name="", time="", time_zone="X/Y", min_gain="many", epochs="0", labels_since="2999-01-01")
    answer = post(browser, "/schedules/new", **typed)
    fields = ["name", "time", "time_zone", "labels_since", "epochs", "min_gain"]
    assert re.findall(r'id="wrong-(\w+)"', answer.text) == fields
    assert "6 fields need correction" in answer.text


def test_an_edit_shows_what_is_there_and_keeps_what_it_does_not_show(browser: FlaskClient, db: Database) -> None:
    post(browser, "/schedules/new", **retrain(epochs="3"))
    schedule = only_schedule(db)
    form = get(browser, f"/schedules/{schedule.id}/edit")
    assert 'name="min_gain" value="0.5"' in form
    assert 'name="epochs" value="3"' in form
    assert '<option value="SUN" selected>Sunday</option>' in form
    changed = retrain(name="Monday", weekday="MON", revision=schedule.revision)
    assert post(browser, f"/schedules/{schedule.id}/edit", **changed).status_code == 303
    now = only_schedule(db)
    assert (now.name, now.cron, now.revision) == ("Monday", "0 3 * * MON", 2)
    late = post(browser, f"/schedules/{schedule.id}/edit", **changed)
    assert (late.status_code, "was changed in the meantime" in late.text) == (409, True)


@pytest.mark.parametrize(
    ("line", "n_labels", "repeat", "field"),
    [
        ("5 4 L * *", None, "monthly", '<option value="L" selected>the last day</option>'),
        ("0 3 * * 1-5", None, "workdays", 'id="time" name="time" value="03:00"'),
        ("0 3 * * MON,THU", None, "cron", 'name="cron" value="0 3 * * MON,THU"'),
        (None, 40, "labels", 'name="every_n_labels" value="40"'),
    ],
)
def test_an_edit_shows_when_a_schedule_runs_and_keeps_it(
    browser: FlaskClient, db: Database, line: str | None, n_labels: int | None, repeat: str, field: str
) -> None:
    with db.write() as session:
        schedules.create_schedule(
            session, as_owner(session), NewSchedule("x", "retrain", line, every_n_labels=n_labels), []
        )
    form = get(browser, "/schedules/1/edit")
    assert field in form
    assert re.findall(r'name="repeat" value="(\w+)" checked', form) == [repeat]
    (weekday,) = re.findall(r'<select name="weekday".*?<option value="(\w+)" selected', form)
    (month_day,) = re.findall(r'<select name="month_day".*?<option value="(\w+)" selected', form)
    (time,) = re.findall(r'name="time" value="([^"]*)"', form)
    days = {"repeat": repeat, "weekday": weekday, "month_day": month_day, "time": time}
    post(browser, "/schedules/1/edit", **retrain(cron=line or "", every_n_labels=str(n_labels or ""), **days))
    kept = only_schedule(db)
    assert (kept.every_n_labels, kept.cron) == (n_labels, line and line.replace("1-5", "MON-FRI"))


def test_uploads_are_chosen_and_one_deleted_meanwhile_is_named(
    browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = make_labelled(db, blobs)
    assert str(upload) in get(browser, "/schedules/new")
    post(browser, "/schedules/new", **retrain(data="chosen", upload=str(upload)))
    schedule = only_schedule(db)
    assert schedule.parameters["uploads"] == [str(upload)]
    with db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    typed = retrain(data="chosen", upload=str(upload))
    assert "has been deleted" in post(browser, f"/schedules/{schedule.id}/edit", **typed).text
    paused = post(browser, f"/schedules/{schedule.id}/switch", is_on="0")
    assert (paused.status_code, only_schedule(db).is_on) == (303, False)


def test_run_now_leads_to_the_runs_page_and_a_second_one_is_refused(browser: FlaskClient, db: Database) -> None:
    post(browser, "/schedules/new", **clean_up())
    schedule = only_schedule(db)
    answer = post(browser, f"/schedules/{schedule.id}/run")
    assert urlsplit(answer.location).path == f"/schedules/{schedule.id}/runs/1"
    assert "Started by owner with “Run now”" in get(browser, answer.location)
    again = post(browser, f"/schedules/{schedule.id}/run")
    assert "The last run has not ended yet" in get(browser, again.location)


def test_a_runs_page_says_what_data_what_came_out_and_why(browser: FlaskClient, db: Database) -> None:
    post(browser, "/schedules/new", **retrain())
    schedule = only_schedule(db)
    post(browser, f"/schedules/{schedule.id}/run")
    end_run(db, 1, "Version 7 was promoted in place of version 3: right on 97.0 % …", **PROMOTED)
    page = get(browser, f"/schedules/{schedule.id}/runs/1")
    assert "Version 7 was promoted in place of version 3" in page
    assert "Version 7 compared with version 3, in use at that time" in page
    assert "<dt>New labels</dt><dd>612</dd>" in page
    assert "would be 0.035" in page
    assert "Version 7 was promoted" in get(browser, "/schedules")


def test_too_few_pictures_to_tell_offer_a_way_out(browser: FlaskClient, db: Database) -> None:
    post(browser, "/schedules/new", **retrain())
    post(browser, "/schedules/1/run")
    few = {"candidate": 7, "in_use": 3, "is_promoted": False, "is_too_few": True, "gate": {"n_images": 3}}
    end_run(db, 1, "Version 7 was not promoted: too few to tell.", **few)
    assert "Check a random" in get(browser, "/schedules/1/runs/1")


def test_a_run_that_was_late_says_for_how_many_times_it_stands(browser: FlaskClient, db: Database) -> None:
    with db.write() as session:
        wanted = NewSchedule("Tidy", "clean_up", "0 3 * * *", parameters={"older_than_days": 3})
        schedule = schedules.create_schedule(session, as_owner(session), wanted, [])
        assert schedule.next_run_at is not None
        due = due_runs.DueSchedule(schedule.id, schedule.revision, schedule.next_run_at, 3, None)
        due_runs.begin_due(session, due, schedule.next_run_at)
    page = get(browser, f"/schedules/{schedule.id}/runs/1")
    assert "and 2 times more before a worker was available; it ran once for all of them" in page


def test_a_schedule_is_deleted_after_a_question_and_its_runs_stay(browser: FlaskClient, db: Database) -> None:
    post(browser, "/schedules/new", **clean_up())
    post(browser, "/schedules/1/run")
    assert "Delete “<bdi>Tidy</bdi>”?" in get(browser, "/schedules/1/delete")
    post(browser, "/schedules/1/delete")
    assert browser.get("/schedules/1").status_code == 410
    assert "Run 1 of <bdi>Tidy</bdi>" in get(browser, "/schedules/1/runs/1")
    assert "Nothing is scheduled yet" in get(browser, "/schedules")


def test_names_are_text_and_never_markup(browser: FlaskClient, db: Database) -> None:
    post(browser, "/schedules/new", **clean_up(name="<b>x</b>"))
    for path in ("/schedules", "/schedules/1", "/schedules/1/edit"):
        assert "<b>x</b>" not in get(browser, path)


def test_without_the_token_of_the_form_nothing_is_changed(browser: FlaskClient, db: Database) -> None:
    assert browser.post("/schedules/new", data=clean_up()).status_code == 403
