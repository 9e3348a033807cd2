"""The start of a request: when a thread can take over without waiting for the client."""

import pytest

from web.server.request_start import MAX_HEAD_BYTES, SMALL_BODY_BYTES, RequestStart

HEAD = b"POST /login HTTP/1.1\r\nHost: localhost\r\n"


def test_a_head_is_complete_with_its_empty_line_however_it_is_cut() -> None:
    start = RequestStart()
    for byte in HEAD + b"\r":
        start.add(bytes([byte]))
        assert not start.is_complete
    start.add(b"\r\n" if start.data.endswith(b"\n") else b"\n")
    assert start.is_complete
    assert not start.is_streaming


def test_a_small_body_is_waited_for() -> None:
    start = RequestStart(HEAD + b"content-length: 5\r\n\r\n")
    assert (start.has_head, start.is_complete, start.n_missing) == (True, False, 5)
    start.add(b"hello")
    assert start.is_complete
    assert not start.is_streaming


@pytest.mark.parametrize(
    "field", [b"Content-Length: %d" % (SMALL_BODY_BYTES + 1), b"Transfer-Encoding: chunked", b"Expect: 100-continue"]
)
def test_a_large_body_or_one_of_unknown_size_streams(field: bytes) -> None:
    start = RequestStart(HEAD + field + b"\r\n\r\n")
    assert start.is_complete
    assert start.is_streaming


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\nHost: a\n\n", b"\x16\x03\x01\n", b"\r\n\r\n"])
def test_a_malformed_head_is_left_to_gunicorn_at_once(head: bytes) -> None:
    assert RequestStart(head).is_complete


def test_a_head_without_end_is_too_large() -> None:
    start = RequestStart(b"GET / HTTP/1.1\r\nX: " + b"a" * (MAX_HEAD_BYTES - 30))
    assert not start.is_too_large
    start.add(b"a" * 30)
    assert start.is_too_large
