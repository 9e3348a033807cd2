"""The walk: every route answers as the table of rights says, for every role, for nobody, and for what others made.

What the walk asks for belongs to Ada. She is a member, and so is Bob.
"""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from core.accounts import accounts, people, sessions, tokens
from core.accounts.rights import Actor, Role
from core.base.database import Database
from core.base.states import BatchKind
from core.jobs import jobs
from core.jobs.result_filter import ResultFilter
from core.orm.accounts import User
from core.review import audits, bulk_labels, correction_batches
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.uploads import uploads
from core.webhooks import endpoints
from core.webhooks.endpoints import NewEndpoint
from core.webhooks.targets import Allowlist
from tests.support.actors import as_owner, as_person, make_token
from tests.support.factories import draw_picture, make_job, make_tar, make_upload, make_version, read_results, run_job
from tests.support.login import log_in as open_session
from tests.support.secrets import CIPHER
from web.app import App
from web.http.context import EXTENSION
from web.http.rights import Route, list_routes

DATABASES = ("sqlite",)  # nothing here depends on the kind
BLOBS = ("file",)
ARGUMENT = re.compile(r"<(?:[^<>:]+:)?([a-z_]+)>")
REFUSED = (401, 403)
ADA, BOB = "ada", "bob"
ROLES = {ADA: Role.MEMBER, BOB: Role.MEMBER, "vera": Role.VIEWER, "alma": Role.ADMIN}


class NoThumbnails:
    """Decodes nothing: only whether an answer is given is of interest."""

    def make(self, file: object, size_px: int) -> bytes:
        return b"\xff\xd8"

    @contextmanager
    def for_report(self) -> Iterator[object]:
        yield self.make

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class World:
    """What Ada made, by the names of the arguments in addresses, and an upload that no job uses."""

    values: dict[str, object]
    unused: UUID
    receiving: UUID
    image_id: int

    def path(self, route: Route) -> str:
        return ARGUMENT.sub(lambda found: str(self._value(found[1], route)), route.path)

    def _value(self, name: str, route: Route) -> object:
        if name == "upload_uuid" and route.endpoint != "uploads.delete_upload":
            return self.receiving
        return self.values.get(name, 1)

    def body(self, route: Route) -> dict[str, Any]:
        """What reaches the service behind a route; nothing where the address says it all."""
        job, batch, new = str(self.values["uuid"]), str(self.values["batch_uuid"]), str(uuid4())
        bodies: dict[str, dict[str, Any]] = {
            "jobs.create_job": {"json": {"upload": str(self.values["job_upload"])}},
            "jobs.update_job": {"json": {"name": "new"}},
            "queue.set_job_priority": {"json": {"priority": "first"}},
            "uploads.upload_shard": {"data": make_tar({"a.jpg": draw_picture()})},
            "uploads.complete_upload": {"json": {"partial": True}},
            "archives.put_archive": {"data": make_tar({"a.jpg": draw_picture()}), "query_string": {"id": job}},
            "archives.upload_archive": {"data": make_tar({"a.jpg": draw_picture()}), "query_string": {"id": job}},
            "label_batches.undo_label_batch": {"json": {"id": new}},
            "edit_job_pages.save_job": {"data": {"name": "new"}},
            "job_pages.delete_job": {"data": {"confirmation": "delete"}},
            "selected_job_pages.tag_jobs": {"data": {"job": job, "tag": "sea"}},
            "selected_job_pages.delete_jobs": {"data": {"job": job, "confirmed": "1"}},
            "picture_pages.move_threshold": {"data": {"threshold": "50"}},
            "correction_pages.apply_corrections": {"data": {"batch": str(self.values["corrections"])}},
            "correction_pages.undo_corrections": {"data": {"batch": batch, "id": new}},
            "neither_pages.undo_neither": {"data": {"batch": batch, "id": new}},
            "training_pages.remove_pictures": {"data": {"upload": str(self.unused)}},
        }
        return bodies.get(route.endpoint, {})


@pytest.fixture
def world(app: App, db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> World:
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], thumbnails=NoThumbnails())
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    with db.write() as session:
        for name, role in ROLES.items():
            accounts.get_or_create_user(session, name).role = role
    return make_world(db, blobs)


def make_world(db: Database, blobs: Blobs) -> World:
    small = partial(draw_picture, size=(32, 32))
    upload = make_upload(db, blobs, {f"p/{n}.jpg": small(n) for n in range(3)}, by=ADA)
    job, unused = make_job(db, upload, by=ADA), make_upload(db, blobs, {"q/1.jpg": small(9)}, by=ADA)
    run_job(db, job)
    version, image = make_version(db, "seed-cnn", b"w"), read_results(db, job)[0]
    batch, corrections, receiving = uuid4(), uuid4(), uuid4()
    ada = as_person(db, ADA)
    with db.write() as session:
        bulk_labels.create_batch(session, ada, batch, job, BatchKind.LABEL, ResultFilter(), "cat")
        uploads.create_upload(session, ada, receiving, "more")
        new = NewSchedule("Clean", "clean_up", "0 3 * * *", parameters={"older_than_days": 9})
        schedule = schedules.create_schedule(session, as_owner(session), new, [])
        run = due_runs.run_now(session, as_owner(session), schedule.id)
    bulk_labels.run_batch(db, batch, 60)
    correction_batches.prepare_corrections(db, ada, job, corrections, [("dogs/0.jpg", image.sha256)])
    audit = audits.draw_audit(db, uuid4(), job, ada.user_id, 50)
    values: dict[str, object] = {
        **dict.fromkeys(("uuid", "job_uuid"), job),
        **dict.fromkeys(("audit", "audit_uuid"), audit.uuid),
        "batch_uuid": batch,
        "corrections": corrections,
        "upload_uuid": unused,
        "job_upload": upload,
        "image_id": image.image_id,
        "version": version,
        "other": 1,
        "schedule_id": schedule.id,
        "run_id": run.id,
        "seq": 0,
        **make_credentials(db, ada.user_id),
        **make_webhook(db, ada),
        "kind": "html",
        "filename": "style.css",
    }
    return World(values, unused, receiving, image.image_id)


def make_credentials(db: Database, user_id: int) -> dict[str, object]:
    """A token and a session of a person, and somebody else to manage."""
    with db.write() as session:
        user = session.get_one(User, user_id)
        token = tokens.add_token(session, "hers", user, days=1).token.id
        sessions.open_session(session, user, None, None)
        (opened,) = sessions.list_sessions(session, user_id)
        eve = accounts.get_or_create_user(session, "eve").id
        return {"token_id": token, "session_id": opened.id, "user_id": eve}


def make_webhook(db: Database, actor: Actor) -> dict[str, object]:
    """A webhook of a person, to which something was sent."""
    with db.write() as session:
        new = NewEndpoint("archive", "https://example.org/")
        endpoint = endpoints.create_endpoint(session, actor, new, Allowlist(), CIPHER).endpoint
        delivery = endpoints.send_test(session, actor, endpoint.id)
        return {"webhook_id": endpoint.id, "delivery_id": delivery.id}


def log_in(app: App, db: Database, name: str) -> tuple[FlaskClient, Actor]:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make_token(db, name)}"
    return client, as_person(db, name)


def walk(app: App, world: World, client: FlaskClient) -> Iterator[tuple[Route, int]]:
    for route in list_routes(app):
        if route.need.right is None:  # what a public view asks for by itself is not a matter of rights
            continue
        body = world.body(route)
        with client.open(world.path(route), method=route.method, **body) as answer:
            assert re.match("no-store|private", answer.headers["Cache-Control"]), route.path
            assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")], route.path  # noqa: SIM118
            yield route, answer.status_code


@pytest.mark.parametrize("name", ["vera", BOB, ADA, "alma"])
def test_a_person_gets_what_the_table_allows_and_nothing_else(app: App, db: Database, world: World, name: str) -> None:
    client, actor = log_in(app, db, name)
    ada = as_person(db, ADA).user_id
    wrong = [
        (route.method, route.path, status)
        for route, status in walk(app, world, client)
        if (status in REFUSED) == route.allows(actor, ada) or (status >= 500 and route.path != "/readyz")
    ]
    assert wrong == []


def test_another_site_changes_nothing_with_the_cookie_of_a_browser(app: App, db: Database, world: World) -> None:
    browser = app.test_client()
    open_session(browser, make_token(db, "alma"))
    wrong = []
    for route in list_routes(app):
        if route.method == "GET":
            continue
        body = world.body(route)
        if "data" not in body:  # what a form of another site can send
            body = {"data": json.dumps(body.get("json", {})), "content_type": "text/plain"}
        headers = {"Origin": "https://evil.example", "X-CSRF-Token": "guessed"}
        with browser.open(world.path(route), method=route.method, headers=headers, **body) as answer:
            reads_form = getattr(app.view_functions[route.endpoint], "checks_csrf", False)
            if answer.status_code != 403 and not (reads_form and 400 <= answer.status_code < 500):
                wrong.append((route.method, route.path, answer.status_code))
    assert wrong == []


def test_nobody_gets_more_than_what_is_public(app: App, stranger: FlaskClient, world: World) -> None:
    wrong = [
        (route.method, route.path, status) for route, status in walk(app, world, stranger) if status not in (401, 303)
    ]
    assert wrong == []


def test_a_disabled_person_gets_no_more_than_nobody(app: App, db: Database, world: World) -> None:
    client, _ = log_in(app, db, "alma")
    with db.write() as session:
        people.disable(session, as_owner(session), "alma")
    wrong = [(route.method, route.path, status) for route, status in walk(app, world, client) if status != 401]
    assert wrong == []


def test_what_was_refused_has_changed_nothing(app: App, db: Database, world: World) -> None:
    client, _ = log_in(app, db, BOB)
    for route in list_routes(app):
        if route.need.own or route.path.startswith(("/account", "/api/v1/tokens", "/api/v1/sessions")):
            client.open(world.path(route), method=route.method, **world.body(route)).close()
    with db.read() as session:
        assert world.values["token_id"] in [one.id for one in tokens.list_tokens(session)]
        ada = as_person(session, ADA).user_id
        assert [one.id for one in sessions.list_sessions(session, ada)] == [world.values["session_id"]]
        job = jobs.get_job(session, UUID(str(world.values["uuid"])))
        assert (job.name, job.threshold_milli, job.deleted_at) == ("photos", 800, None)
        assert uploads.get_upload(session, world.unused).deleted_at is None
        upload = uploads.get_upload(session, world.receiving)
        assert (upload.state, upload.n_shards) == ("receiving", 0)


def test_a_refusal_says_who_may_and_whom_to_ask(app: App, db: Database, world: World) -> None:
    client, _ = log_in(app, db, BOB)
    refused = client.delete(f"/api/v1/jobs/{world.values['uuid']}")
    assert refused.json is not None
    assert "or an admin, can change it; you are “bob”" in refused.json["detail"]
    page = client.get("/system", headers={"Accept": "text/html"})
    assert (page.status_code, "Only admins can see the System page" in page.text) == (403, True)


def test_an_upload_ends_for_a_person_who_is_disabled_meanwhile(
    app: App, db: Database, blobs: Blobs, world: World
) -> None:
    """The request was let in before; its shard is not stored."""
    client, _ = log_in(app, db, ADA)

    class Body(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with db.write() as session:
                people.disable(session, as_owner(session), ADA)
            return super().read(size)

        read1 = read

    tar = make_tar({"a.jpg": draw_picture()})
    address, sent = f"/api/v1/uploads/{world.receiving}/shards/0", Body(tar)
    answer = client.put(address, input_stream=sent, content_length=len(tar), content_type="application/x-tar")
    assert answer.status_code == 403
    assert "has been disabled" in answer.text
    with db.read() as session:
        assert uploads.get_upload(session, world.receiving).n_shards == 0
