"""gunicorn's worker with threads, in which slow clients hold no thread.

    accepted ─► thread: has it arrived? ─► served ─► rest of the response ─► kept, or closed
                    │ no            ▲                      main loop            main loop
                    main loop, 10 s ┘

gunicorn's own worker reads heads, bodies and what remains of refused bodies in threads, and closes connections in its
main loop with a pause of up to 2 s. Here the main loop waits for clients, without ever blocking, and threads work.
Bodies that are larger than `SMALL_BODY_BYTES` are read by the application while they arrive: by half of the threads at
most, which are there in addition, and at the pace of `ClientSocket`. Connections are plain HTTP/1.1: TLS ends at a
proxy. Event streams are sent by the main loop alone, once their response has begun.

Use it with `gunicorn --worker-class web.server.worker.Worker`.
"""

import errno
import math
import resource
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from gunicorn.http.message import _ip_in_allow_list
from gunicorn.workers.gthread import ThreadWorker

from core.base.config import load_settings
from web.server.bodies import reading_directly
from web.server.client_address import Wsgi, with_client_address
from web.server.client_socket import MAX_UNSENT, ClientSocket, TransferLimits
from web.server.connection import READ_BYTES, Connection, Progress
from web.server.refusals import closing_after_refusal, make_refusal
from web.server.streams import handing_over_streams

START_S = 10.0  # for a head; a small body has as much, and its time at the least pace
PLACE_S = 3.0
REST_S = 60.0
LINGER_S = 10.0
LINGER_BYTES = 256 * 2**20
STOP_S = 2.0
SWEEP_S = 0.5
GLANCE_S = 0.05
MAX_FILES = 65_536
NO_PLACE = object()
NO_SOCKET = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
NO_FILES = (errno.EMFILE, errno.ENFILE)


@dataclass
class Wait:
    """What the main loop waits for on one connection.

    Attributes:
        step: Called when the connection is ready for it.
        give_up: Called at the deadline.
        is_polled: The poller watches the connection.
    """

    deadline: float
    step: Callable[[], None]
    give_up: Callable[[], None]
    is_polled: bool = False


class Worker(ThreadWorker):  # type: ignore[misc]
    """A process of the web server. Threads run `handle` and what it calls; everything else runs in the main loop."""

    wsgi: Wsgi

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        settings = load_settings()
        self._limits = TransferLimits(settings.client_min_bytes_s, settings.body_max_s)
        self._waits: dict[Connection, Wait] = {}
        self._swept_at = 0.0
        self._places = BoundedSemaphore(max(self.cfg.threads // 2, 1))
        self._without_place: deque[Connection] = deque()
        self._streams: set[Connection] = set()

    def init_process(self) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = MAX_FILES if most == resource.RLIM_INFINITY else min(most, MAX_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        networks = self.cfg.forwarded_allow_networks()
        is_proxy = partial(_ip_in_allow_list, allow_list=self.cfg.forwarded_allow_ips, networks=networks)
        app = reading_directly(closing_after_refusal(self.wsgi))
        self.wsgi = with_client_address(handing_over_streams(app), is_proxy)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Threads for ordinary requests, and those that bodies and downloads may hold."""
        n: int = self.cfg.threads
        return ThreadPoolExecutor(n + max(n // 2, 1) + n // 4)

    def accept(self, listener: Any) -> None:
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in NO_FILES:
                self._make_room()
            elif error.errno not in NO_SOCKET:
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self.enqueue_req(Connection(self.cfg, ClientSocket(accepted, self._limits), address, listener.getsockname()))

    def handle(self, conn: Connection) -> Any:
        """Serve a request, or return what the connection waits for. Runs in a thread."""
        try:
            progress = conn.receive()
        except OSError:
            return Progress.ENDED
        if progress is not Progress.COMPLETE:
            return progress
        if conn.start.is_streaming and not conn.is_refused:
            conn.has_place = self._places.acquire(blocking=False)
            if not conn.has_place:
                return NO_PLACE
        conn.hand_over()
        return super().handle(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Whether the connection can be used again: not with the rest of a body on it. Runs in a thread."""
        return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + GLANCE_S))

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """Send the rest of the response and keep the connection or close it, or wait for the client."""
        if conn.has_place:
            conn.has_place = False
            self._places.release()
            self._next_stream()
        error = None if fs.cancelled() else fs.exception()
        if error is not None:
            self.log.error("Error in a thread of the worker", exc_info=error)
        result = None if fs.cancelled() or error else fs.result()
        if result is Progress.ENDED:
            self._drop(conn)
        elif isinstance(result, Progress):
            self._await_start(conn)
        elif result is NO_PLACE:
            self._await_place(conn)
        elif conn.sock.handed_over is not None:
            self._begin_stream(conn)
        else:
            is_kept = result is True
            self._send_rest(conn, partial(super().finish_request, conn, fs) if is_kept else partial(self._linger, conn))

    def _await_start(self, conn: Connection) -> None:
        step, give_up = partial(self._read_start, conn), partial(self._give_up_start, conn)
        self._wait(conn, selectors.EVENT_READ, START_S, step, give_up)

    def _read_start(self, conn: Connection) -> None:
        had_head = conn.start.has_head
        match conn.receive():
            case Progress.COMPLETE:
                self._serve(conn)
            case Progress.ENDED:
                self._drop(conn)
            case Progress.TOO_LARGE:
                self._refuse(conn, 431, "The head of the request is too large. Send fewer or shorter headers.")
            case Progress.WAITING if conn.start.has_head and not had_head:
                self._waits[conn].deadline += START_S + conn.start.n_missing / max(self._limits.least_bytes_s, 1)

    def _give_up_start(self, conn: Connection) -> None:
        if conn.start.has_head:
            conn.has_ended = True
            self._serve(conn)
        elif conn.start.data:
            self._refuse(conn, 408, f"The head of the request did not arrive within {START_S:.0f} s. Send it again.")
        else:
            self._drop(conn)

    def _await_place(self, conn: Connection) -> None:
        def refuse() -> None:  # the application says so, in its own format
            conn.is_refused = True
            self._serve(conn)

        self._without_place.append(conn)
        self._wait(conn, 0, PLACE_S, _nothing, refuse)

    def _next_stream(self) -> None:
        while self._without_place:
            conn = self._without_place.popleft()
            if conn in self._waits and self._waits[conn].step is _nothing:
                return self._serve(conn)

    def _serve(self, conn: Connection) -> None:
        self._end_wait(conn)
        self.enqueue_req(conn)

    def _send_rest(self, conn: Connection, after: Callable[[], None]) -> None:
        if not conn.sock.unsent:
            return self._guarded(conn, after)

        def send() -> None:
            conn.sock.send_now()
            if not conn.sock.unsent:
                self._end_wait(conn)
                after()

        self._wait(conn, selectors.EVENT_WRITE, REST_S, send, partial(self._drop, conn))

    def _begin_stream(self, conn: Connection) -> None:
        """Send what happens, until the stream ends or the client has gone, which sends nothing more."""

        def notice_end() -> None:
            if conn.sock.recv_now(READ_BYTES) == b"":
                self._drop(conn)

        self._streams.add(conn)
        self._wait(conn, selectors.EVENT_READ, math.inf, notice_end, partial(self._drop, conn))

    def _send_news(self, conn: Connection) -> None:
        assert conn.sock.handed_over is not None
        stream = conn.sock.handed_over.stream
        has_ended = stream.has_ended
        conn.sock.unsent += stream.take()
        conn.sock.send_now()
        if len(conn.sock.unsent) > MAX_UNSENT:
            self._drop(conn)
        elif has_ended:
            self._end_stream(conn)
            self._end_wait(conn)
            self._send_rest(conn, partial(self._linger, conn))

    def _end_stream(self, conn: Connection) -> None:
        self._streams.discard(conn)
        if conn.sock.handed_over is not None:
            conn.sock.handed_over.close()
            conn.sock.handed_over = None

    def _refuse(self, conn: Connection, status: int, sentence: str) -> None:
        self._end_wait(conn)
        conn.sock.unsent += make_refusal(status, sentence)
        self._send_rest(conn, partial(self._linger, conn))

    def _linger(self, conn: Connection) -> None:
        """Discard what the client still sends: closed at once, its system would discard the response instead."""
        conn.sock.shutdown(socket.SHUT_WR)
        n_left = LINGER_BYTES

        def discard() -> None:
            nonlocal n_left
            data = conn.sock.recv_now(READ_BYTES)
            n_left -= len(data or b"")
            if data == b"" or n_left <= 0:
                self._drop(conn)

        self._wait(conn, selectors.EVENT_READ, LINGER_S, discard, partial(self._drop, conn))

    def _wait(
        self, conn: Connection, event: int, max_s: float, step: Callable[[], None], give_up: Callable[[], None]
    ) -> None:
        """Try a step at once, and again whenever the connection is ready for it, until it ends the wait."""
        wait = self._waits[conn] = Wait(time.monotonic() + max_s, step, give_up)
        self._guarded(conn, step)
        if event and self._waits.get(conn) is wait:
            wait.is_polled = True
            self.poller.register(conn.sock, event, lambda _: self._step(conn))

    def _step(self, conn: Connection) -> None:
        wait = self._waits.get(conn)
        if wait is not None:  # else it was dropped a moment ago
            self._guarded(conn, wait.step)

    def _guarded(self, conn: Connection, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError:  # the client has gone
            self._drop(conn)

    def _end_wait(self, conn: Connection) -> None:
        wait = self._waits.pop(conn, None)
        if wait is not None and wait.is_polled:
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._end_stream(conn)
        self._end_wait(conn)
        self.nr_conns -= 1
        conn.close()

    def _make_room(self) -> None:
        """Close the oldest connection that does nothing, or the one that has been waiting for its client longest."""
        if self.keepalived_conns:
            self.keepalived_conns[0].timeout = 0.0  # closed at the end of this turn of the main loop
        elif self._waits:
            self._drop(next(iter(self._waits)))

    def murder_pending(self) -> None:
        """Send what streams have, and give up on clients whose time is over; called in each turn of the main loop."""
        now = time.monotonic()
        if now < self._swept_at + SWEEP_S:
            return
        self._swept_at = now
        for conn in list(self._streams):
            self._guarded(conn, partial(self._send_news, conn))
        for conn, wait in list(self._waits.items()):
            if not self.alive:
                wait.deadline = min(wait.deadline, now + STOP_S)
            if wait.deadline <= now and self._waits.get(conn) is wait:
                self._guarded(conn, wait.give_up)


def _nothing() -> None:
    """The step of a connection that waits for a place, and not for its client."""
