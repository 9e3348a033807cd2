"""The Host header, the headers of answers, problem details."""

import json
import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy.exc import DataError, OperationalError
from structlog.testing import capture_logs

from core.base.config import Settings
from core.base.errors import ConfigError, Refused
from web.app import App, create_app
from web.http.security import host_name

DATABASES = ("sqlite",)  # nothing here depends on the kind


@pytest.fixture
def reachable(settings: Settings, app: App) -> Iterator[FlaskClient]:
    """A server that listens on all addresses and has another name."""
    changed = create_app(settings.model_copy(update={"host": "0.0.0.0", "allowed_hosts": "cats.example, dogs.example"}))
    yield changed.test_client()
    changed.extensions["pawsort"].db.close()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LocalHost."])
def test_own_names_are_answered(stranger: FlaskClient, host: str) -> None:
    assert stranger.get("/healthz", headers={"Host": host}).status_code == 200


def test_this_machines_name_is_answered(stranger: FlaskClient) -> None:
    assert stranger.get("/healthz", headers={"Host": socket.gethostname()}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[::2]", "localhost@evil"])
def test_other_names_are_400_and_the_log_names_the_setting(stranger: FlaskClient, host: str) -> None:
    with capture_logs() as logs:
        answer = stranger.get("/healthz", headers={"Host": host})
    assert answer.status_code == 400
    assert "PAWSORT" not in answer.text
    assert "PAWSORT_ALLOWED_HOSTS" in logs[0]["remedy"]


@pytest.mark.parametrize("host", ["cats.example", "dogs.example:80", "192.168.1.7:8000", "[fe80::1]"])
def test_allowed_names_and_bare_addresses_are_answered_when_listening_everywhere(
    reachable: FlaskClient, host: str
) -> None:
    assert reachable.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_foreign_name_is_400_even_when_listening_everywhere(reachable: FlaskClient) -> None:
    assert reachable.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("header", "name"),
    [("a:80", "a"), ("[::1]:80", "[::1]"), ("::1", "[::1]"), ("A.b.", "a.b"), ("", ""), ("[::1", "[::1]")],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize("path", ["/", "/login", "/api/v1/jobs", "/nowhere", "/static/style.css"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("address", "is_sent"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://[::1]", True),
        ("https://cats.example", True),
        ("http://192.0.2.7", False),
    ],
)
def test_browsers_get_only_headers_that_they_heed_at_this_address(
    reachable: FlaskClient, address: str, is_sent: bool
) -> None:
    assert ("Cross-Origin-Opener-Policy" in reachable.get("/healthz", base_url=address).headers) is is_sent


def test_fields_of_a_wrong_body_are_named_one_by_one(client: FlaskClient) -> None:
    answer = client.put(f"/api/v1/jobs/{uuid4()}", json={"threshold": 7, "upload": "x", "colour": "red"})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert {one["field"] for one in answer.json["errors"]} == {"threshold", "upload", "colour"}
    assert next(one for one in answer.json["errors"] if one["field"] == "threshold") == {
        "in": "json",
        "field": "threshold",
        "expected": "Input should be less than or equal to 1",
        "got": "7",
    }


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "cursor=nonsense", "cursor=WzFlOTldCg", "limits=5", "cursor=W10"]
)
def test_a_wrong_query_is_422(client: FlaskClient, query: str) -> None:
    assert client.get(f"/api/v1/jobs?{query}").status_code == 422


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b'"text"', b"null"])
def test_a_body_that_is_no_json_object_is_a_4xx_with_a_sentence(client: FlaskClient, body: bytes) -> None:
    answer = client.put(f"/api/v1/jobs/{uuid4()}", data=body)
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\ud800", "x" * 501])
def test_a_name_that_no_database_keeps_is_422(client: FlaskClient, name: str) -> None:
    body = json.dumps({"name": name})
    assert client.put(f"/api/v1/uploads/{uuid4()}", data=body).status_code == 422


class RefusedBySize(Exception):
    sqlstate = "54000"  # program_limit_exceeded


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("INSERT", {}, RefusedBySize()), 422),
        (DataError("INSERT", {}, Exception("value too long")), 422),
        (OperationalError("INSERT", {}, Exception("the connection is closed")), 503),
    ],
)
def test_a_value_that_the_database_refuses_is_not_sent_again(
    app: App, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setitem(app.view_functions, "health.check_alive", fail)
    answer = client.get("/healthz")
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_a_json_body_over_the_limit_is_413(client: FlaskClient) -> None:
    answer = client.post("/api/v1/labels", data=b"[" * (5 * 2**20))
    assert answer.status_code == 413
    assert answer.json is not None
    assert str(4 * 2**20) in answer.json["detail"]


def test_an_unknown_address_and_a_wrong_method_are_problems(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").mimetype == "application/problem+json"
    wrong = client.post(f"/api/v1/uploads/{uuid4()}")
    assert wrong.status_code == 405
    assert "PUT" in wrong.headers["Allow"]
    assert "PUT" in wrong.text


def test_a_browser_gets_errors_as_pages(client: FlaskClient) -> None:
    answer = client.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


def test_an_unexpected_error_is_500_with_an_id_and_the_trace_only_in_the_log(
    app: App, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise RuntimeError("a secret detail")

    monkeypatch.setitem(app.view_functions, "jobs.list_jobs", fail)
    with capture_logs() as logs:
        answer = client.get("/api/v1/jobs")
    assert answer.status_code == 500
    assert answer.json is not None
    assert "secret" not in answer.text
    (entry,) = [one for one in logs if one["log_level"] == "error"]
    assert entry["error_id"] == answer.json["error_id"]
    assert str(entry["exc_info"]) == "a secret detail"


def test_a_database_that_is_away_is_503_with_an_id_and_a_time_to_try_again(
    settings: Settings, app: App, headers: dict[str, str]
) -> None:
    lost = create_app(settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"}))
    with capture_logs() as logs:
        answer = lost.test_client().get("/api/v1/jobs", headers=headers)
        alive = lost.test_client().get("/healthz", headers=headers)
    assert (answer.status_code, alive.status_code) == (503, 200)
    assert answer.headers["Retry-After"] == "2"
    assert answer.json is not None
    assert answer.json["error_id"] == logs[0]["error_id"]
    assert "127.0.0.1" not in answer.text


def test_a_short_secret_key_stops_the_start_with_the_settings_name(settings: Settings) -> None:
    for keys in ("short", f"{'x' * 32}\nshort"):
        with pytest.raises(ConfigError, match="PAWSORT_SECRET_KEY"):
            create_app(settings.model_copy(update={"secret_key": SecretStr(keys)}))


def test_a_former_secret_key_keeps_the_sessions_that_it_signed(settings: Settings, browser: FlaskClient) -> None:
    cookie = browser.get_cookie(f"pawsort_{settings.port}")
    assert cookie is not None
    former = settings.secret_key.get_secret_value()
    for keys, status in ((f"{'x' * 32}\n{former}\n", 200), ("x" * 32, 303)):
        other = create_app(settings.model_copy(update={"secret_key": SecretStr(keys)})).test_client()
        other.set_cookie(cookie.key, cookie.value)
        assert other.get("/account").status_code == status


@pytest.mark.parametrize("body", ["{", "\xff", "[" * 100_000, '{"a":' * 100_000])
def test_a_body_that_is_no_json_is_400_and_says_so(client: FlaskClient, body: str) -> None:
    answer = client.put(f"/api/v1/uploads/{uuid4()}", data=body.encode("latin-1"))
    assert answer.status_code == 400
    assert answer.json is not None
    assert "Expected a JSON object" in answer.json["detail"]


def test_people_are_not_told_the_settings_of_a_server_that_is_away(app: App, client: FlaskClient) -> None:
    sentence = "PAWSORT_BLOB_URL: the store refuses the keys."
    with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
        patch.setattr(app.extensions["pawsort"].blobs, "find_room", lambda: (_ for _ in ()).throw(Refused(sentence)))
        answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "A part of this server is not responding." in answer.text
    assert "PAWSORT" not in answer.text
    assert sentence in str(logs[0]["exc_info"])


def test_an_old_link_into_a_list_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/?cursor=W10", headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert "This link is out of date. Open the first page." in page.text
    assert "leave it out" in client.get("/api/v1/jobs?cursor=W10").get_json()["detail"]
