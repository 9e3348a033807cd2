"""The client against a real server that breaks off, is busy, refuses and recovers."""

import io
import socket
import threading
import time

import pytest

from pawsort.api.errors import BadArchive, RequestFailed, Unreachable
from pawsort.api.http_client import PawsortClient
from pawsort.api.retries import Retries
from tests.support.deadlines import within
from tests.support.tiny_server import CUT, Answer, tiny_server

QUICK = {"first_pause_s": 0.01, "longest_pause_s": 0.02}


def make_client(address: str, give_up_after_s: float = 5.0, token: str | None = "secret") -> PawsortClient:
    return PawsortClient(address, token, retries=Retries(give_up_after_s, **QUICK))


@pytest.mark.parametrize("status", [CUT, 502, 503, 504, 429])
def test_a_shard_is_sent_again_with_the_same_bytes_until_it_arrives(status: int) -> None:
    with (
        tiny_server(Answer(status), Answer(status), Answer(201, {"seq": 7})) as (address, asked),
        make_client(address) as client,
    ):
        assert client.put_shard("u", 7, b"tar" * 1000) == {"seq": 7}
    assert [one.body for one in asked] == [b"tar" * 1000] * 3
    assert {(one.method, one.path) for one in asked} == {("PUT", "/api/v1/uploads/u/shards/7")}
    assert asked[-1].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 422, 500, 507])
def test_a_refusal_is_not_repeated_and_carries_the_servers_sentence(status: int) -> None:
    answer = Answer(status, {"title": "No", "detail": "The disk is nearly full.", "missing": [3]})
    with (
        tiny_server(answer) as (address, asked),
        make_client(address) as client,
        pytest.raises(RequestFailed, match=r"The disk is nearly full\.") as caught,
    ):
        client.complete_upload("u", 4)
    assert len(asked) == 1
    assert caught.value.status == status
    assert caught.value.problem["missing"] == [3]


def test_a_long_pause_is_reported_with_what_went_wrong() -> None:
    reported = []
    retries = Retries(5.0, **QUICK, on_wait=reported.append)
    answers = (Answer(503), Answer(503, {"detail": "Back soon."}, {"Retry-After": "1"}), Answer(200, {"id": "j"}))
    with tiny_server(*answers) as (address, _), PawsortClient(address, retries=retries) as client:
        client.get_job("j")
    assert [failure.message for failure in reported] == ["Back soon. (HTTP 503)"]


def test_the_pause_that_the_server_asks_for_is_kept() -> None:
    busy = Answer(503, headers={"Retry-After": "0.3"})
    with tiny_server(busy, Answer(200, {"id": "j"})) as (address, _), make_client(address) as client:
        started = time.monotonic()
        client.get_job("j")
    assert time.monotonic() - started >= 0.3


def test_patience_ends_with_a_sentence_that_names_the_server() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        with make_client(address, give_up_after_s=0.2) as client, pytest.raises(Unreachable, match=address):
            client.get_job("j")


def test_closing_ends_the_patience_of_other_threads() -> None:
    ended = threading.Event()
    with tiny_server(Answer(503, headers={"Retry-After": "20"})) as (address, asked):
        client = make_client(address, give_up_after_s=60)

        def ask() -> None:
            with pytest.raises((RequestFailed, Unreachable)):  # the answer may still be on its way
                client.get_job("j")
            ended.set()

        threading.Thread(target=ask).start()
        while not asked:
            time.sleep(0.01)
        client.close()
        assert ended.wait(within(5))


def test_polling_sends_the_etag_back_and_takes_304_for_nothing_new() -> None:
    first = Answer(200, {"state": "running"}, {"ETag": '"5-running"'})
    with tiny_server(first, Answer(304)) as (address, asked), make_client(address) as client:
        job, etag = client.poll_job("j", None)
        assert job == {"state": "running"}
        assert client.poll_job("j", etag) == (None, etag)
    assert "If-None-Match" not in asked[0].headers
    assert asked[1].headers["If-None-Match"] == '"5-running"'


def test_results_are_read_page_by_page() -> None:
    pages = [
        Answer(body={"items": [{"n": 1}, {"n": 2}], "next": "c 1"}),
        Answer(body={"items": [{"n": 3}], "next": None}),
    ]
    with tiny_server(*pages) as (address, asked), make_client(address) as client:
        assert [row["n"] for row in client.list_results("j", label="cat")] == [1, 2, 3]
    assert [one.path for one in asked] == [
        "/api/v1/jobs/j/results?label=cat",
        "/api/v1/jobs/j/results?label=cat&cursor=c+1",
    ]


def test_an_archive_is_streamed_from_its_start_at_each_try() -> None:
    data = b"0123456789" * 300_000
    with tiny_server(Answer(503), Answer(202, {"id": "j"})) as (address, asked), make_client(address) as client:
        assert client.upload_archive("a", io.BytesIO(data), name="photos.zip") == {"id": "j"}
    assert [one.body == data for one in asked] == [True, True]
    assert asked[1].path == "/api/v1/archives?id=a&name=photos.zip"
    assert asked[1].headers["Transfer-Encoding"] == "chunked"


def test_a_broken_archive_names_the_job_that_holds_its_whole_files() -> None:
    broken = Answer(422, {"detail": "The archive ends in the middle.", "job": "j"})
    with (
        tiny_server(broken) as (address, _),
        make_client(address) as client,
        pytest.raises(BadArchive, match="ends in the middle") as caught,
    ):
        client.upload_archive("a", io.BytesIO(b"x"))
    assert caught.value.job == "j"


def test_an_answer_that_is_no_json_is_still_a_sentence() -> None:
    with (
        tiny_server(Answer(404, "not an object")) as (address, _),
        make_client(address) as client,
        pytest.raises(RequestFailed, match=r"Not Found \(HTTP 404\)"),
    ):
        client.get_job("j")


def test_a_missing_token_says_where_to_get_one() -> None:
    with (
        tiny_server(Answer(401, {"detail": "Log in first."})) as (address, _),
        make_client(address, token=None) as client,
        pytest.raises(RequestFailed, match="pawsort token create"),
    ):
        client.get_job("j")
