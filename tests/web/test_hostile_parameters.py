"""Numbers, times and texts that no column holds: every address answers them with 4xx, and says what it expected."""

import ast
import inspect
import re
from collections.abc import Iterator
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
from web.app import App

EARLY, LATE = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
NUMBERS = ["-1", str(2**31), str(2**63), str(10**30), "9" * 5000]
VALUES = [*NUMBERS, "\x00", EARLY, LATE, "zz"]
ARGUMENT = re.compile(r"<(?:[^<>:]+:)?([a-z_]+)>")
NAME = re.compile(r"[a-z][a-z_]{0,30}")
UNREADY = "/readyz"  # 503 while no worker is alive, whatever is asked


@pytest.fixture
def quiet_app(app: App) -> App:
    app.config["PROPAGATE_EXCEPTIONS"] = False
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


@pytest.mark.slow
def test_no_parameter_of_any_address_is_a_server_error(
    quiet_app: App, client: FlaskClient, browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    furnish(db, blobs)
    ids = _ids(db)
    broken = []
    for rule in quiet_app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule == UNREADY:
            continue
        asker = client if rule.rule.startswith("/api/") else browser
        for address, query in _requests(quiet_app, rule, ids):
            with asker.get(address, query_string=query) as answer:
                if answer.status_code >= 500:
                    broken.append((rule.rule, {name: value[:40] for name, value in query.items()}, address[:120]))
    assert broken == []


def _ids(db: Database) -> dict[str, object]:
    """One of each kind that is there, by the names of the arguments in addresses."""
    with db.read() as session:
        job = session.scalars(select(Job.uuid)).first()
        image = session.scalars(select(Image.id)).first()
        upload = session.scalars(select(Upload.uuid)).first()
    jobs = dict.fromkeys(("uuid", "job_uuid", "audit", "audit_uuid", "batch_uuid"), job)
    numbers = {"image_id": image, "version": 1, "other": 2, "schedule_id": 1, "run_id": 1, "user_id": 1, "seq": 0}
    return {**jobs, **numbers, "upload_uuid": upload, "kind": "html", "filename": "style.css"}


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
