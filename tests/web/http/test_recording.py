"""What the web records by itself: refusals, and whatever is taken out."""

import pytest
from flask.testing import FlaskClient

from core.accounts import accounts, audit_list, tokens
from core.accounts.audit_list import AuditFilter
from core.accounts.audit_log import MAX_REFUSED_OF_ADDRESS, Action
from core.base.database import Database
from core.orm.audit_log import AuditEntry
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload, run_job
from web.app import App


def entries(db: Database, action: Action) -> list[AuditEntry]:
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
