"""Errors of a full or read-only database: their own status, and when to ask again."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import InternalError, OperationalError

from core.base.errors import DiskFull
from core.jobs import jobs

DATABASES = ("sqlite",)


class ServerError(Exception):
    """What a driver raises."""

    def __init__(self, words: str, sqlstate: str | None = None) -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


CASES: dict[str, tuple[Exception, int, str]] = {
    "SQLite's disk is full": (OperationalError("", {}, ServerError("database or disk is full")), 507, "disk"),
    "PostgreSQL's disk is full": (OperationalError("", {}, ServerError("no space", "53100")), 507, "disk"),
    "a standby": (InternalError("", {}, ServerError("read-only", "25006")), 503, "accepts no changes"),
    "too many connections": (OperationalError("", {}, ServerError("too many connections")), 503, "not responding"),
    "the store is full": (DiskFull("The server's disk is full."), 507, "disk is full"),
}


@pytest.mark.parametrize("case", CASES)
def test_full_and_read_only_servers_have_a_status_of_their_own(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    error, status, words = CASES[case]

    def fail(*_: object, **__: object) -> UUID:
        raise error

    monkeypatch.setattr(jobs, "get_job", fail)
    answer = client.get(f"/api/v1/jobs/{uuid4()}")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert words in answer.get_json()["detail"]
    assert ("Retry-After" in answer.headers) is (status == 503)
