"""Numbers, times and texts that no column holds: every address answers them with 4xx, and says what it expected."""

import ast
import inspect
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from core.base.database import Database
from core.orm.jobs import Job
from core.orm.uploads import Image, Upload
from core.storage.blobs import Blobs
from tests.support.browser.furnished_site import furnish
from tests.support.factories import make_job, make_upload, run_job
from tests.support.forms import Form, forms_in
from tests.support.people import PASSWORD, send
from web.app import App

EARLY, LATE = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
NUMBERS = ["-1", str(2**31), str(2**63), str(10**30), "9" * 5000]
VALUES = [*NUMBERS, "\x00", EARLY, LATE, "zz"]
ARGUMENT = re.compile(r"<(?:[^<>:]+:)?([a-z_]+)>")
NAME = re.compile(r"[a-z][a-z_]{0,30}")
ENDING = re.compile("delete|disable|end|logout|discard|withdraw|remove|undo|clean")
UNREADY = "/readyz"  # 503 while no worker is alive, whatever is asked
# What arguments of addresses stand for, besides an image and its upload.
OF_JOBS = ("uuid", "job_uuid", "audit", "audit_uuid", "batch_uuid")
FIRST = ("version", "schedule_id", "run_id", "user_id", "token_id", "session_id", "invitation_id", "webhook_id")
OTHERS = {
    "other": 2,
    "seq": 0,
    "delivery_id": 1,
    "kind": "html",
    "filename": "style.css",
    "name": "conflict",
    "path": "a",
}


@pytest.fixture
def quiet_app(app: App, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    return app


@pytest.mark.parametrize("name", ["since", "before"])
@pytest.mark.parametrize("moment", [EARLY, LATE])
def test_a_moment_that_utc_does_not_have_is_422(quiet_app: App, client: FlaskClient, name: str, moment: str) -> None:
    answer = client.get("/api/v1/jobs", query_string={name: moment})
    assert answer.status_code == 422
    assert answer.json is not None
    assert "between the years 1 and 9999" in answer.json["detail"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_heat_map_of_an_image_that_no_column_holds_is_404(quiet_app: App, client: FlaskClient, number: str) -> None:
    assert client.get(f"/api/v1/jobs/{uuid4()}/results/{number}/heat").status_code == 404


def test_a_study_of_a_version_that_no_column_holds_is_422(quiet_app: App, client: FlaskClient) -> None:
    assert client.post("/api/v1/studies", json={"version": 10**30}).status_code == 422


def test_steps_of_a_review_that_name_no_picture_are_ignored(
    quiet_app: App, browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    for number in NUMBERS:
        assert browser.get(f"/jobs/{job}/review", query_string={"steps": f"{number}:skip"}).status_code == 200


def test_a_version_that_no_column_holds_is_404_where_a_job_is_classified_again(
    quiet_app: App, client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    for number in NUMBERS:
        answer = client.post(f"/jobs/{job}/again", data={"model": number})
        assert answer.status_code == 404
        assert len(answer.text) < 1000


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/?state=asleep", "state: expected one of active, done, cancelled, failed; got 'asleep'."),
        ("/?since=0001-01-01", "since: expected a day such as 2026-03-31, between the years 1970 and 8999;"),
        ("/?zone=10000", "zone: expected a whole number from -840 to 840; got '10000'."),
        ("/?model=2147483648", "model: expected a whole number from 1 to 2147483647; got '2147483648'."),
        ("/jobs/{job}?label=bird", "label: expected one of cat, dog, unsure; got 'bird'."),
        ("/jobs/{job}?min_confidence=95", "min_confidence: expected a number from 0 to 1; got '95'."),
        ("/jobs/{job}?max_confidence=nan", "max_confidence: expected a number from 0 to 1; got 'nan'."),
        ("/jobs/{job}/review?image=-1", "image: expected a whole number from 1 to 9223372036854775807; got '-1'."),
        ("/jobs/{job}/failed?error_code=zz", "error_code: expected one of empty_file, not_an_image,"),
        ("/jobs/{job}/neither?n=%00", "n: expected a whole number from 0 to 2147483647; got "),
        ("/labels/twins?page=0", "page: expected a whole number from 1 to 1000000; got '0'."),
        ("/labels/twins?state=zz", "state: expected one of open, decided; got 'zz'."),
        ("/models/compare?first=1e9", "first: expected a whole number from 1 to 2147483647; got '1e9'."),
        ("/audit-log?action=zz", "action: expected one of login,"),
        ("/audit-log?until=9999-12-31", "until: expected a day such as 2026-03-31, between the years 1970 and 8999;"),
    ],
)
def test_pages_refuse_a_parameter_that_means_nothing_and_say_what_they_expected(
    quiet_app: App, browser: FlaskClient, db: Database, blobs: Blobs, address: str, sentence: str
) -> None:
    job = make_job(db, make_upload(db, blobs))
    answer = browser.get(address.format(job=job), headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)


def test_a_name_that_no_person_can_have_is_a_wrong_login(quiet_app: App) -> None:
    answer = send(quiet_app.test_client(), "/login/password", "/login", name="a\0b", password=PASSWORD)
    assert answer.status_code == 401
    assert "Name or password is wrong" in answer.text


def test_every_argument_of_an_address_has_a_value_here(app: App) -> None:
    named = {name for rule in app.url_map.iter_rules() for name in ARGUMENT.findall(rule.rule)}
    assert named <= {*OF_JOBS, *FIRST, *OTHERS, "image_id", "upload_uuid"}


@pytest.mark.slow
def test_no_parameter_of_any_address_is_a_server_error(
    quiet_app: App, client: FlaskClient, browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    """The API refuses what it does not take with a sentence."""
    furnish(db, blobs)
    ids = _ids(db)
    broken = []
    for rule in quiet_app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule == UNREADY:
            continue
        asker = client if rule.rule.startswith("/api/") else browser
        for address, query in _requests(quiet_app, rule, ids):
            with asker.get(address, query_string=query) as answer:
                is_refused = asker is client and answer.status_code >= 400
                if answer.status_code >= 500 or (is_refused and not answer.get_json()["detail"]):
                    broken.append((rule.rule, {name: value[:40] for name, value in query.items()}, address[:120]))
    assert broken == []


@pytest.mark.slow
def test_no_field_of_any_form_is_a_server_error(
    quiet_app: App, browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    """Forms that delete, disable or log out come last."""
    forms: dict[tuple[str, str], Form] = {}
    for shown in furnish(db, blobs):
        for form in forms_in(browser.get(shown.address).text):
            action = form.action or shown.address
            forms.update({(_without_ids(action), name): Form(action, form.fields) for name in form.fields})
    assert len({action for action, _ in forms}) > 40
    broken = []
    for (action, name), form in sorted(forms.items(), key=lambda one: bool(ENDING.search(one[0][0]))):
        for value in VALUES:
            with browser.post(form.action, data=form.fields | {name: value}) as answer:
                if answer.status_code >= 500:
                    broken.append((action, name, value[:40]))
    assert broken == []


@pytest.mark.slow
def test_no_field_of_any_body_is_a_server_error(
    quiet_app: App, client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    furnish(db, blobs)
    ids, broken = _ids(db), []
    document = client.get("/openapi.json").get_json()
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None:
                continue
            address = re.sub(r"{(\w+)}", lambda found: str(ids.get(found[1], 1)), path)
            for fields in _bodies(body["schema"], schemas):
                with client.open(address, method=method.upper(), json=fields) as answer:
                    if answer.status_code >= 500:
                        broken.append((method, path, str(fields)[:200]))
    assert broken == []


def _without_ids(address: str) -> str:
    return re.sub(r"[0-9a-f-]{36}|\d+", "*", address.partition("?")[0])


def _bodies(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A body that fits for each field, but for that field: as a text, as a number, in a list."""
    known = _resolve(schema, schemas)
    right = {name: _example(known["properties"][name], schemas) for name in known.get("required", [])}
    for name in known.get("properties", {}):
        for value in VALUES:
            yield right | {name: value}
            yield right | {name: [value]}
        for number in (-1, 2**31, 2**63, 10**30, 1e308):
            yield right | {name: number}
            yield right | {name: [number]}


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _resolve(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for kinds in ("anyOf", "oneOf", "allOf"):
        if kinds in schema:
            return _resolve(schema[kinds][0], schemas)
    return schema


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """Something small that fits."""
    known = _resolve(schema, schemas)
    if known.get("enum"):
        return known["enum"][0]
    if known.get("format") == "uuid":
        return str(uuid4())
    if known.get("type") == "array":
        return [_example(known["items"], schemas)] if isinstance(known.get("items"), dict) else []
    if known.get("type") == "object":
        return {one: _example(known["properties"][one], schemas) for one in known.get("required", [])}
    return {"integer": 1, "number": 0.5, "boolean": True}.get(known.get("type", ""), known.get("const", "x"))


def _ids(db: Database) -> dict[str, object]:
    """One of each kind that is there, by the names of the arguments in addresses."""
    with db.read() as session:
        job = session.scalars(select(Job.uuid)).first()
        image = session.scalars(select(Image.id)).first()
        upload = session.scalars(select(Upload.uuid)).first()
    return {
        **dict.fromkeys(OF_JOBS, job),
        **dict.fromkeys(FIRST, 1),
        **OTHERS,
        "image_id": image,
        "upload_uuid": upload,
    }


def _requests(app: App, rule: Rule, ids: dict[str, object]) -> Iterator[tuple[str, dict[str, str]]]:
    """Addresses with one hostile argument each, then the right address with one hostile parameter each."""
    for hostile in ARGUMENT.findall(rule.rule):
        for value in VALUES:
            given = ids | {hostile: value.replace("\x00", "%00")}
            yield ARGUMENT.sub(lambda found, given=given: str(given[found[1]]), rule.rule), {}
    address = ARGUMENT.sub(lambda found: str(ids[found[1]]), rule.rule)
    for name in sorted(_names_near(app.view_functions[rule.endpoint])):
        for value in VALUES:
            yield address, {name: value}


def _names_near(view: object) -> set[str]:
    """Every text in a view's module that could be the name of a parameter."""
    module = inspect.getmodule(inspect.unwrap(view))  # type: ignore[arg-type]
    assert module is not None
    texts = {node.value for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and NAME.fullmatch(text)} | {"cursor", "limit", "sort"}
