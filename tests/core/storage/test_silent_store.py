"""A connection to a store that has gone silent is given up, and another one is used."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from core.storage import buckets
from core.storage.blobs import Blobs
from tests.support.silent_proxy import SilentProxy, connect_to_address
from tests.support.tiny_server import Answer, tiny_server


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentProxy]:
    """A store behind a proxy, whose connections stay open."""
    monkeypatch.setitem(buckets.CLIENT, "read_timeout", timedelta(seconds=0.5))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    headers = {"Last-Modified": "Mon, 30 Nov 2026 12:00:00 GMT", "ETag": '"1"'}
    with (
        tiny_server(Answer(body="a blob", headers=headers), keeps_open=True) as (address, _),
        SilentProxy(partial(connect_to_address, address)) as one,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{one.port}")
        yield one


def test_a_blob_is_read_although_all_connections_went_silent(proxy: SilentProxy) -> None:
    blobs = Blobs("s3://bucket")
    assert bytes(blobs.get("one")) == b'"a blob"'
    assert proxy.go_silent() == 1
    assert bytes(blobs.get("one")) == b'"a blob"'
    assert proxy.go_silent() == 2
