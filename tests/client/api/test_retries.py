"""The client against a real server that breaks off, is busy, refuses and recovers."""

import io
import socket
import threading
import time

import pytest

from pawsort.api.errors import OutcomeUnknown, RequestFailed, Unreachable
from pawsort.api.retries import Retries
from pawsort.client.pawsort import Pawsort
from tests.support.deadlines import within
from tests.support.tiny_server import CUT, Answer, tiny_server

QUICK = {"first_pause_s": 0.01, "longest_pause_s": 0.02}


def make_client(address: str, give_up_after_s: float = 60.0, token: str | None = "secret") -> Pawsort:
    return Pawsort(address, token, retries=Retries(give_up_after_s, **QUICK))


@pytest.mark.parametrize("status", [CUT, 502, 503, 504, 429])
def test_a_shard_is_sent_again_with_the_same_bytes_until_it_arrives(status: int) -> None:
    with (
        tiny_server(Answer(status), Answer(status), Answer(201, {"seq": 7, "n_images": 1})) as (address, asked),
        make_client(address) as client,
    ):
        assert client.uploads.put_shard("u", 7, b"tar" * 1000).n_images == 1
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
        client.uploads.complete("u", 4)
    assert len(asked) == 1
    assert caught.value.status == status
    assert caught.value.problem["missing"] == [3]


def test_a_long_pause_is_reported_with_what_went_wrong() -> None:
    reported = []
    retries = Retries(60.0, **QUICK, on_wait=reported.append)
    answers = (Answer(503), Answer(503, {"detail": "Back soon."}, {"Retry-After": "1"}), Answer(200, {"id": "j"}))
    with tiny_server(*answers) as (address, _), Pawsort(address, retries=retries) as client:
        client.jobs.get("j")
    assert [failure.message for failure in reported] == ["Back soon. (HTTP 503)"]


def test_the_pause_that_the_server_asks_for_is_kept() -> None:
    busy = Answer(503, headers={"Retry-After": "0.3"})
    with tiny_server(busy, Answer(200, {"id": "j"})) as (address, _), make_client(address) as client:
        started = time.monotonic()
        client.jobs.get("j")
    assert time.monotonic() - started >= 0.3


def test_patience_ends_with_a_sentence_that_names_the_server() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        with make_client(address, give_up_after_s=0.2) as client, pytest.raises(Unreachable, match=address):
            client.jobs.get("j")


def test_closing_ends_the_patience_of_other_threads() -> None:
    ended = threading.Event()
    with tiny_server(Answer(503, headers={"Retry-After": "20"})) as (address, asked):
        client = make_client(address, give_up_after_s=60)

        def ask() -> None:
            with pytest.raises((RequestFailed, Unreachable)):  # the answer may still be on its way
                client.jobs.get("j")
            ended.set()

        threading.Thread(target=ask).start()
        while not asked:
            time.sleep(0.01)
        client.close()
        assert ended.wait(within(5))


def test_results_are_read_page_by_page_and_the_first_page_is_small() -> None:
    pages = [
        Answer(body={"items": [{"path": "1"}, {"path": "2"}], "next": "c 1"}),
        Answer(body={"items": [{"path": "3"}], "next": None}),
    ]
    with tiny_server(*pages) as (address, asked), make_client(address) as client:
        assert [row.path for row in client.jobs.results("j", label="cat")] == ["1", "2", "3"]
    assert [one.path for one in asked] == [
        "/api/v1/jobs/j/results?limit=100&label=cat",
        "/api/v1/jobs/j/results?limit=1000&label=cat&cursor=c+1",
    ]


def test_an_archive_is_streamed_from_its_start_at_each_try() -> None:
    data = b"0123456789" * 300_000
    with tiny_server(Answer(503), Answer(202, {"id": "j"})) as (address, asked), make_client(address) as client:
        assert client.uploads.put_archive("a", io.BytesIO(data), name="photos.zip").id == "j"
    assert [one.body == data for one in asked] == [True, True]
    assert asked[1].path == "/api/v1/archives?id=a&name=photos.zip"
    assert asked[1].headers["Transfer-Encoding"] == "chunked"


def test_an_answer_that_is_no_json_is_still_a_sentence() -> None:
    with (
        tiny_server(Answer(404, "not an object")) as (address, _),
        make_client(address) as client,
        pytest.raises(RequestFailed, match=r"Not Found \(HTTP 404\)"),
    ):
        client.jobs.get("j")


def test_a_missing_token_says_where_to_get_one() -> None:
    with (
        tiny_server(Answer(401, {"detail": "Log in first."})) as (address, _),
        make_client(address, token=None) as client,
        pytest.raises(RequestFailed, match="pawsort token create"),
    ):
        client.jobs.get("j")


@pytest.mark.parametrize("lost", [CUT, 502, 504])
def test_a_token_is_not_asked_for_twice_when_the_answer_was_lost(lost: int) -> None:
    with (
        tiny_server(Answer(lost), Answer(201, {"id": 1})) as (address, asked),
        make_client(address) as client,
        pytest.raises(OutcomeUnknown, match="Look before you repeat it"),
    ):
        client.tokens.create(name="again")
    assert len(asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_that_was_put_off_is_sent_again_whatever_it_creates(status: int) -> None:
    answers = Answer(status), Answer(201, {"id": 1, "secret": "whsec_"})
    with tiny_server(*answers) as (address, asked), make_client(address) as client:
        assert client.webhooks.create(name="n", url="https://example.org").id == 1
    assert len(asked) == 2
