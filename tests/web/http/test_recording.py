"""What is recorded of what people do in the web: who, with which credential, from where, and with what outcome."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.accounts import accounts, audit_list, audit_log, tokens
from core.accounts.audit_list import AuditFilter
from core.accounts.audit_log import MAX_REFUSED_OF_ADDRESS, Action
from core.base.database import Database
from core.models import registry
from core.orm.audit_log import AuditEntry
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_upload, make_version, read_results, run_job
from tests.support.login import csrf_in, log_in, send_login
from web.api.labels.labels import BULK
from web.app import App


def entries(db: Database, action: Action | str) -> list[AuditEntry]:
    return list(audit_list.iterate_entries(db, AuditFilter(action=action)))


def test_a_refusal_for_want_of_a_right_is_recorded_but_no_flood_of_them(app: App, db: Database) -> None:
    with db.write() as session:
        token = tokens.create_token(session, "hers", accounts.get_or_create_user(session, "ada"))
    client = app.test_client()
    for _ in range(MAX_REFUSED_OF_ADDRESS + 2):
        assert client.get("/system", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    refused = entries(db, Action.ACCESS)
    assert len(refused) == MAX_REFUSED_OF_ADDRESS
    assert {(one.user_name, one.via, one.outcome, one.details["path"]) for one in refused} == {
        ("ada", "token", "refused", "/system")
    }


@pytest.mark.parametrize("ending", ["csv", "zip"])
def test_an_export_is_recorded_with_its_format(client: FlaskClient, db: Database, blobs: Blobs, ending: str) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    assert client.get(f"/api/v1/jobs/{job}/export.{ending}").status_code == 200
    (entry,) = entries(db, Action.EXPORT)
    assert (entry.user_name, entry.object_id, entry.details["format"]) == ("owner", str(job), ending)


def test_originals_are_recorded_once_an_hour_for_each_upload_credential_and_address(
    app: App, client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    files = {f"{n}.jpg": draw_picture(n) for n in range(2)}
    uploads = [make_upload(db, blobs, files) for _ in range(2)]
    with db.read() as session:
        images = list(session.scalars(select(Image.id).order_by(Image.id)))
    with db.write() as session:
        other = tokens.create_token(session, "other")

    def download(image: int, token: str | None = None, address: str = "127.0.0.1") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        one = app.test_client() if token else client
        path, environ = f"/api/v1/images/{image}/original", {"REMOTE_ADDR": address}
        assert one.get(path, headers=headers, environ_overrides=environ).status_code == 200

    for image in (images[0], images[1], images[0]):
        download(image)
    (entry,) = entries(db, Action.EXPORT)
    shown = (entry.user_name, entry.via, entry.address, entry.object_kind, entry.object_id)
    assert shown == ("owner", "token", "127.0.0.1", "upload", str(uploads[0]))
    assert entry.details == {"format": "original", "first_image": images[0]}
    download(images[2])
    assert [one.object_id for one in entries(db, Action.EXPORT)] == [str(uploads[1]), str(uploads[0])]
    download(images[0], other)
    download(images[0], address="10.0.0.7")
    assert len(entries(db, Action.EXPORT)) == 4


def test_an_original_is_recorded_again_after_an_hour(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    make_upload(db, blobs)
    with db.read() as session:
        image = session.scalars(select(Image.id)).first()
    assert client.get(f"/api/v1/images/{image}/original").status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_log, "HOUR_S", 0)
        assert client.get(f"/api/v1/images/{image}/original").status_code == 200
    assert len(entries(db, Action.EXPORT)) == 2


def recorded(db: Database) -> list[tuple[str, str, str]]:
    """What, to which kind of object, by what: the oldest first, without what the preparation did."""
    found = reversed(entries(db, ""))
    return [(one.action, one.object_kind, one.via) for one in found if one.user_name == "owner"]


def test_logins_logouts_and_refused_ones_are_recorded(app: App, db: Database, token: str) -> None:
    browser = app.test_client()
    assert send_login(browser, token="wrong").status_code == 401
    log_in(browser, token)
    browser.post("/logout", data={"csrf_token": csrf_in(browser.get("/").text)})
    assert app.test_client().get("/api/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
    found = [(one.action, one.via, one.user_name, one.outcome) for one in reversed(entries(db, ""))]
    assert [one for one in found if one[0].startswith("log")] == [
        ("login", "session", "", "refused"),
        ("login", "session", "owner", "done"),
        ("logout", "session", "owner", "done"),
        ("login", "token", "", "refused"),
    ]
    assert all(one.address == "127.0.0.1" for one in entries(db, Action.LOGIN))
    assert token not in str([(one.details, one.object_id) for one in entries(db, "")])


def test_refused_logins_of_every_kind_are_read_over_the_api(app: App, client: FlaskClient, db: Database) -> None:
    browser = app.test_client()
    for fields in ({"token": "wrong"}, {"code": "wrong"}):
        assert send_login(browser, **fields).status_code == 401
    csrf = csrf_in(browser.get("/login").text)
    wrong = {"csrf_token": csrf, "name": "ada", "password": "wrong wrong wrong"}
    assert browser.post("/login/password", data=wrong).status_code == 401
    assert app.test_client().get("/api/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
    audit_log.record_refused_login(db, "provider", "127.0.0.1", reason="state")  # as web/pages/account does
    listed = client.get("/api/v1/audit-log?action=login")
    assert listed.status_code == 200
    refused = [one["via"] for one in listed.json["items"]]
    assert refused == ["provider", "token", "password", "session", "session"]
    for ending in ("csv", "jsonl"):
        assert client.get(f"/api/v1/audit-log.{ending}").status_code == 200


def test_what_a_program_changes_is_recorded(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    version = make_version(db, "other")
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    key = client.post("/api/v1/tokens", json={"name": "script", "days": 1}).json["id"]
    assert client.delete(f"/api/v1/tokens/{key}").status_code == 204
    schedule = {"name": "clean", "kind": "clean_up", "cron": "0 3 * * *", "parameters": {"older_than_days": 30}}
    number = client.post("/api/v1/schedules", json=schedule).json["id"]
    client.patch(f"/api/v1/schedules/{number}", json={"name": "sweep"})
    client.patch(f"/api/v1/schedules/{number}", json={"is_on": False})
    assert client.post(f"/api/v1/schedules/{number}/run").status_code == 202
    client.delete(f"/api/v1/schedules/{number}")
    for threshold in (0.9, 0.9):
        client.patch(f"/api/v1/jobs/{job}", json={"threshold": threshold})
    batch = {"id": str(uuid4()), "label": "dog"}
    assert client.post(f"/api/v1/jobs/{job}/labels", json=batch).status_code in (200, 201)
    client.post(f"/api/v1/label-batches/{batch['id']}/undo", json={"id": str(uuid4())})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "fetch_weights", lambda *_: b"")
        client.post(f"/api/v1/models/{version}/promote")
        client.post("/api/v1/models/rollback", json={})
    client.delete(f"/api/v1/models/{version}")
    client.delete(f"/api/v1/jobs/{job}")
    assert [one[:2] for one in recorded(db)] == [
        ("token.create", "token"),
        ("token.revoke", "token"),
        ("schedule.create", "schedule"),
        ("schedule.change", "schedule"),
        ("schedule.change", "schedule"),
        ("schedule.run", "schedule"),
        ("schedule.delete", "schedule"),
        ("job.threshold", "job"),
        ("labels.add", "job"),
        ("labels.undo", "batch"),
        ("version.promote", "version"),
        ("version.rollback", "version"),
        ("version.delete", "version"),
        ("job.delete", "job"),
        ("upload.delete", "upload"),
    ]
    assert {one[2] for one in recorded(db)} == {"token"}


def test_labels_of_folders_are_recorded_once_they_count(db: Database, blobs: Blobs) -> None:
    names = ("cats/1.jpg", "dogs/2.jpg", "odd/3.jpg")
    make_upload(db, blobs, {name: draw_picture(n) for n, name in enumerate(names)}, labelled=True)
    (entry,) = entries(db, Action.LABELS_ADD)
    assert (entry.user_name, entry.object_kind) == ("owner", "upload")
    assert entry.details == {"kind": "folders", "n_labels": 2}


@pytest.mark.parametrize(("n", "is_recorded"), [(BULK - 1, False), (BULK, True)])
def test_many_labels_of_one_call_are_recorded(
    client: FlaskClient, db: Database, blobs: Blobs, n: int, is_recorded: bool
) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    items = [{"image_id": read_results(db, job)[0].image_id, "label": ("cat", "dog")[one % 2]} for one in range(n)]
    assert client.post("/api/v1/labels", json={"items": items}).status_code == 201
    assert [one.details["n_labels"] for one in entries(db, Action.LABELS_ADD)] == [n] * is_recorded
