"""Bodies that are read from the socket itself, with gunicorn's own readers behind them."""

import socket
from collections.abc import Iterator

import pytest
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from web.server.bodies import DirectBody


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_came_with_the_head_is_read_first_and_the_next_request_is_left(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = sockets
    unreader = SocketUnreader(ours)
    unreader.unread(b"early ")
    theirs.sendall(b"late GET /next")
    body = DirectBody(Body(LengthReader(unreader, 10)))
    assert [body.read1(4), body.read1(100), body.read1(100), body.read1(100)] == [b"earl", b"y ", b"late", b""]
    assert ours.recv(100) == b" GET /next"


def test_a_body_that_breaks_off_ends_and_one_whose_socket_fails_makes_the_connection_useless(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = sockets
    whole = Body(LengthReader(SocketUnreader(ours), 10))
    body = DirectBody(whole)
    ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        body.read1(10)
    assert whole.failed
    theirs.sendall(b"half")
    theirs.close()
    assert [body.read1(10), body.read1(10)] == [b"half", b""]


def test_a_chunked_body_is_read_by_gunicorn(sockets: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = sockets
    theirs.sendall(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    body = DirectBody(Body(ChunkedReader(None, SocketUnreader(ours))))
    assert body.read1(4) + body.read1(4) + body.read1(4) == b"abcde"
