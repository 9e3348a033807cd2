"""The connection of a client who must not have the rest of a response."""

import socket

import pytest

from web.server import client_socket
from web.server.client_socket import MAX_UNSENT, ClientSocket, TransferLimits


def test_a_response_that_must_not_go_on_ends_in_the_middle_of_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "CHECK_S", 0.0)
    ours, theirs = socket.socketpair()
    connection = ClientSocket(ours, TransferLimits(1.0, 60.0))
    answers = iter([True, True, False])
    connection.may_go_on = lambda: next(answers)
    connection.begin_request()
    assert connection.may_go_on is None, "another request asks for another person"
    connection.may_go_on = lambda: next(answers)
    with theirs, pytest.raises(ConnectionResetError):
        connection.sendall(bytes(64 * MAX_UNSENT))
    assert connection.fileno() == -1
    assert not connection.unsent
