"""A connection to a store that has gone silent is given up, and another one is used. A slow line is no silence."""

from functools import partial

import pytest

from core.storage import buckets
from core.storage.blobs import Blobs
from core.storage.buckets import Limits
from tests.support.silent_proxy import SilentProxy, connect_to_address
from tests.support.tiny_server import Answer, tiny_server

SILENCE_S = 1.0
HEADERS = {"Last-Modified": "Mon, 30 Nov 2026 12:00:00 GMT", "ETag": '"1"'}


@pytest.fixture(autouse=True)
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "READING", Limits(SILENCE_S, 60))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_a_blob_is_read_although_all_connections_went_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        tiny_server(Answer(body="a blob", headers=HEADERS), keeps_open=True) as (address, _),
        SilentProxy(partial(connect_to_address, address)) as proxy,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        blobs = Blobs("s3://bucket")
        assert bytes(blobs.get("one")) == b'"a blob"'
        assert proxy.go_silent() == 1
        assert bytes(blobs.get("one")) == b'"a blob"'
        assert proxy.go_silent() == 2


def test_a_blob_is_stored_although_it_is_sent_for_longer_than_a_store_may_be_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tiny_server(Answer(headers=HEADERS, after_s=2 * SILENCE_S)) as (address, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        Blobs("s3://bucket").put("one", b"a blob")
    assert [one.method for one in asked] == ["PUT"]
