"""Schedules over HTTP."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.base.config import Settings
from core.base.database import Database
from core.base.states import RunState
from core.schedules import runs

DATABASES = ("sqlite",)
URL = "/api/v1/schedules"
NIGHTLY = {
    "name": "Clean up",
    "kind": "clean_up",
    "cron": "0 3 * * SUN",
    "time_zone": "Europe/Berlin",
    "parameters": {"older_than_days": 30},
}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "incoming").mkdir()
    return settings.model_copy(update={"import_roots": str(tmp_path / "incoming")})


def post(client: FlaskClient, **changes: Any) -> TestResponse:
    return client.post(URL, json=NIGHTLY | changes)


def create(client: FlaskClient, **changes: Any) -> dict[str, Any]:
    answer = post(client, **changes)
    assert (answer.status_code, isinstance(answer.json, dict)) == (201, True), answer.text
    return dict(answer.json or {})


def detail(answer: TestResponse) -> str:
    return str((answer.json or {})["detail"])


def test_a_schedule_says_in_words_when_it_comes_due_and_the_next_five_times(client: FlaskClient) -> None:
    schedule = create(client)
    assert schedule["in_words"] == "Every Sunday at 03:00"
    assert len(schedule["next_times"]) == 5
    assert all("T03:00:00+0" in moment for moment in schedule["next_times"])
    assert (schedule["is_on"], schedule["last_run"], schedule["revision"]) == (True, None, 1)
    assert schedule["parameters"]["keep_labelled"] is True
    assert client.get(f"{URL}/{schedule['id']}").json == schedule


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cron": "0 0 30 2 *"}, "cron: '0 0 30 2 *' matches no date"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone: expected a name such as Europe/Berlin"),
        ({"kind": "classify", "parameters": {"source": "/etc"}}, "source: '/etc' is outside the folders"),
        ({"kind": "retrain", "parameters": {"uploads": [str(UUID(int=7))]}}, f"there is no upload {UUID(int=7)}"),
        ({"kind": "retrain", "parameters": {"min_gain": 2}}, "min_gain: expected a share from 0 to 1"),
        ({"kind": "dance"}, "kind: "),
        ({"surprise": 1}, "surprise: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_once(client: FlaskClient, changes: dict[str, Any], sentence: str) -> None:
    answer = post(client, **changes)
    assert answer.status_code == 422
    assert sentence in detail(answer)
    assert (client.get(URL).json or {})["items"] == []


def test_the_same_name_again_is_a_conflict(client: FlaskClient) -> None:
    create(client)
    assert post(client).status_code == 409


def test_a_folder_below_the_roots_is_taken(client: FlaskClient, tmp_path: Path) -> None:
    told = {"source": f"{tmp_path}/incoming/"}
    assert create(client, kind="classify", parameters=told)["parameters"]["source"] == f"{tmp_path}/incoming"


def test_a_patch_changes_what_it_names_and_pauses(client: FlaskClient) -> None:
    schedule = create(client)
    url = f"{URL}/{schedule['id']}"
    patched = client.patch(url, json={"parameters": {"below_bytes": 10**9}, "is_on": False, "revision": 1}).json or {}
    assert patched["parameters"] == {"older_than_days": 30, "below_bytes": 10**9, "keep_labelled": True}
    assert (patched["is_on"], patched["next_run_at"], patched["next_times"], patched["revision"]) == (
        False,
        None,
        [],
        2,
    )
    assert client.patch(url, json={"name": "mine", "revision": 1}).status_code == 409
    assert client.patch(url, json={"cron": None}).status_code == 422


def test_a_cron_line_can_be_exchanged_for_a_number_of_labels(client: FlaskClient) -> None:
    schedule = create(client, kind="retrain", parameters={"network": "seed-cnn"})
    changes = {"cron": None, "every_n_labels": 500}
    patched = client.patch(f"{URL}/{schedule['id']}", json=changes).json or {}
    assert (patched["in_words"], patched["next_run_at"]) == ("When 500 new labels have been added", None)


def test_run_now_begins_a_run_that_says_who_and_a_second_one_waits(client: FlaskClient, db: Database) -> None:
    schedule = create(client)
    url = f"{URL}/{schedule['id']}"
    run = client.post(f"{url}/run")
    assert run.json is not None
    assert (run.status_code, run.json["state"], run.json["user"], run.json["who"]) == (202, "waiting", "owner", "owner")
    again = client.post(f"{url}/run")
    assert (again.status_code, "has not ended yet" in detail(again)) == (409, True)
    run_id = (run.json or {})["id"]
    with db.write() as session:
        claim = runs.claim_run(session, run_id, 60)
        assert claim is not None
        runs.end_run(session, claim, RunState.DONE, "Nothing was to be deleted.", n_jobs=0)
    ended = client.get(f"{url}/runs/{run_id}").json or {}
    assert (ended["outcome"], ended["details"]) == ("Nothing was to be deleted.", {"n_jobs": 0})
    assert (client.get(url).json or {})["last_run"]["id"] == run_id


def test_a_deleted_schedule_is_gone_and_its_runs_stay(client: FlaskClient) -> None:
    url = f"{URL}/{create(client)['id']}"
    client.post(f"{url}/run")
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 410
    assert client.post(f"{url}/run").status_code == 410
    assert (client.get(f"{url}/runs").json or {})["items"][0]["state"] == "skipped"
    assert (client.get(URL).json or {})["items"] == []


def test_schedules_and_runs_are_listed_page_by_page(client: FlaskClient) -> None:
    for n in range(3):
        create(client, name=f"schedule {n}")
    first = client.get(f"{URL}?limit=2").json or {}
    rest = client.get(f"{URL}?limit=2&cursor={first['next']}").json or {}
    names = [one["name"] for one in first["items"] + rest["items"]]
    assert (names, rest["next"]) == (["schedule 2", "schedule 1", "schedule 0"], None)
    assert client.get(f"{URL}?cursor=x").status_code == 422


def test_a_schedule_that_does_not_exist_is_not_found(client: FlaskClient) -> None:
    for method, path in (("get", ""), ("patch", ""), ("delete", ""), ("post", "/run"), ("get", "/runs/1")):
        answer = getattr(client, method)(f"{URL}/99{path}", **({"json": {}} if method == "patch" else {}))
        assert answer.status_code == 404


def test_nobody_without_a_login_sees_or_changes_schedules(stranger: FlaskClient) -> None:
    assert stranger.get(URL).status_code == 401
    assert stranger.post(URL, json=NIGHTLY).status_code == 401
