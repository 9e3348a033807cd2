"""The broker: Celery's application, its queues and tasks, and sending messages.

Messages only wake workers; SQL decides who works. A message may be lost or come twice, since nothing is held in Redis
alone. They are sent on a background thread, so that a dead or slow Redis never delays a request; the reconciler sends
those that were lost again.
"""

import queue
import threading
from collections.abc import Iterable
from typing import Any

import structlog
from celery import Celery
from kombu.transport import TRANSPORT_ALIASES
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError, ResponseError

from core.base.config import Settings
from core.base.errors import BrokerFull, Refused, Unavailable

INFERENCE, TRAINING, MAINTENANCE = "inference", "training", "maintenance"

CLASSIFY = "pawsort.classify"
CLASSIFY_CHUNK = "pawsort.classify_chunk"  # the name of earlier versions; such messages may wait during an upgrade
TRAIN = "pawsort.train"
CONVERT = "pawsort.convert"
RECONCILE = "pawsort.reconcile"
SCHEDULES = "pawsort.schedules"
PURGE = "pawsort.purge"
SWEEP = "pawsort.sweep"

ROUTES = {INFERENCE: (CLASSIFY, CLASSIFY_CHUNK), TRAINING: (TRAIN, CONVERT)}  # others go to maintenance

KEY_PREFIX: str = Settings.model_fields["redis_prefix"].default
KEEPS_EVERYTHING = "noeviction"
MAX_UNSENT = 10_000
MAX_WOKEN = 64  # by one request: each worker goes on until nothing is ready
RETRY_S = 1.0
CHECK_EXPIRES_S = 60

TRANSPORT = "core.messaging.transport:Transport"
TRANSPORT_ALIASES.update(redis=TRANSPORT, rediss=TRANSPORT)

log = structlog.get_logger()


def celery_url(redis_url: str) -> str:
    """The address as Celery spells it: a socket is `redis+socket://` there and `unix://` in redis-py."""
    return redis_url.replace("unix://", "redis+socket://", 1)


def make_celery(settings: Settings) -> Celery:
    """The one Celery application, for senders and workers."""
    app = Celery("pawsort", broker=celery_url(settings.redis_url), set_as_current=False)
    app.conf.update(
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_default_queue=MAINTENANCE,
        task_create_missing_queues=True,
        task_routes={name: {"queue": queue} for queue, names in ROUTES.items() for name in names},
        worker_prefetch_multiplier=1,
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=120,
        worker_soft_shutdown_timeout=6,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        broker_connection_timeout=5,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": not settings.redis_url.startswith("unix:"),
            "health_check_interval": 25,
            "global_keyprefix": settings.redis_prefix,
            "unacked_restore_throttle": 1,
        },
    )
    return app


class TaskSender:
    """Sends messages about chunks, trainings and deletions without making the caller wait."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: queue.Queue[tuple[str, list[Any]]] = queue.Queue(MAX_UNSENT)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake_inference(self, n_chunks: int) -> None:
        """Tell as many inference workers that chunks are ready; SQL says which. Call it after the commit."""
        for _ in range(min(n_chunks, MAX_WOKEN)):
            self._put(CLASSIFY, [])

    def send_trainings(self, job_ids: Iterable[int]) -> None:
        """Tell the training workers that these jobs wait. Call it after the commit."""
        for job_id in job_ids:
            self._put(TRAIN, [job_id])

    def send_conversion(self) -> None:
        """Tell the training workers that a version has not been converted yet."""
        self._put(CONVERT, [])

    def send_purge(self) -> None:
        """Tell the maintenance worker that something was deleted."""
        self._put(PURGE, [])

    def _put(self, task: str, args: list[Any]) -> None:
        self._start()
        try:
            self._waiting.put_nowait((task, args))
        except queue.Full:
            log.warning("bell_full", task=task, args=args, note="the reconciler will find it")

    def _start(self) -> None:
        # Started with the first message, not in the constructor: a server that forks after loading keeps no threads.
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="task-sender", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        n_dropped = 0  # since the last message that was sent: logged once at the beginning, counted, and at the end
        while True:
            task, args = self._waiting.get()
            try:
                self._app.send_task(task, args=args, retry=False)
            except Exception as error:  # the sender must outlive anything that a broken network raises
                if n_dropped == 0:
                    log.warning("bell_failed", task=task, error=str(error), note="the reconciler sends them later")
                n_dropped += self._drop_waiting() + 1
                threading.Event().wait(RETRY_S)
            else:
                if n_dropped:
                    log.info("bell_works", dropped=n_dropped)
                n_dropped = 0

    def _drop_waiting(self) -> int:
        dropped = 0
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return dropped
            dropped += 1


def connect(settings: Settings) -> "Redis":
    """A plain connection for reading queues; its timeouts are short, so that a dead server delays nothing."""
    return Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)


def check_broker(settings: Settings) -> None:
    """Check that the broker accepts the login, takes messages and keeps them.

    Raises:
        Refused: It does not. The sentence names the setting.
        BrokerFull: It has no memory left.
        Unavailable: It does not answer.
    """
    try:
        with connect(settings) as redis:
            policy = redis.info("memory").get("maxmemory_policy", KEEPS_EVERYTHING)
            redis.set(f"{settings.redis_prefix}check", b"", ex=CHECK_EXPIRES_S)
    except OutOfMemoryError as error:
        raise BrokerFull(
            "The broker at PAWSORT_REDIS_URL has no memory left and accepts no messages. Raise its maxmemory, or use a"
            " separate server for Pawsort. Nothing is lost; work waits."
        ) from error
    except (AuthenticationError, NoPermissionError, ResponseError) as error:
        raise Refused(
            f"PAWSORT_REDIS_URL: the server refuses user, password or database ({error}). Correct it."
        ) from error
    except (RedisError, OSError) as error:
        if "certificate" in str(error):
            raise Refused(
                f"PAWSORT_REDIS_URL: the server's certificate is not trusted ({error}). Correct it."
            ) from error
        tls = ", which asks for TLS (rediss://)" if settings.redis_url.startswith("rediss:") else ""
        raise Unavailable(
            f"The broker at PAWSORT_REDIS_URL{tls} does not answer ({error}). Start it, or correct the address."
            " Nothing is lost; work waits."
        ) from error
    except ValueError as error:
        raise Refused(f"PAWSORT_REDIS_URL: expected redis://, rediss:// or unix://; {error}") from error
    if policy != KEEPS_EVERYTHING:
        raise Refused(
            f"PAWSORT_REDIS_URL: the server's maxmemory-policy is {policy}, which discards messages when memory is"
            f" short. Set it to {KEEPS_EVERYTHING}, or use a separate server for Pawsort."
        )


def queue_length(redis: "Redis", name: str, prefix: str = KEY_PREFIX) -> int | None:
    """How many messages wait in a queue, or None when Redis does not answer."""
    try:
        return redis.llen(prefix + name)
    except RedisError:
        return None
