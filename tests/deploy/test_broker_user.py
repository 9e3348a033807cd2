"""The user of the broker: it has the commands that Pawsort needs, and a message stops no worker."""

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from core.base.config import Settings
from core.messaging.broker import INFERENCE, make_celery
from tests.support.compose_stack import Stack
from tests.support.deadlines import within
from tests.support.waiting import until

FORBIDDEN = [
    ("CONFIG", "GET", "*"),
    ("SHUTDOWN", "NOSAVE"),
    ("FLUSHALL",),
    ("KEYS", "*"),
    ("ACL", "LIST"),
    ("DEBUG", "SLEEP", "0"),
    ("MODULE", "LIST"),
    ("REPLICAOF", "10.0.0.1", "6379"),
    ("MONITOR",),
    ("CLIENT", "LIST"),
    ("SCRIPT", "FLUSH"),
    ("EVAL", "return redis.call('CONFIG', 'GET', '*')", "0"),
]


@pytest.fixture(scope="module")
def broker_url(stack: Stack) -> str:
    stack.start("redis")
    stack.wait_healthy("redis")
    return stack.value("web", "PAWSORT_REDIS_URL")


@pytest.mark.parametrize("command", FORBIDDEN, ids=lambda words: words[0].lower())
def test_a_command_that_pawsort_does_not_need_is_refused(broker_url: str, command: tuple[str, ...]) -> None:
    with Redis.from_url(broker_url) as redis, pytest.raises(ResponseError, match=r"permission|not allowed"):
        redis.execute_command(*command)


def test_nobody_gets_in_without_a_password(broker_url: str, stack: Stack) -> None:
    with Redis(port=stack.port("redis")) as redis, pytest.raises(AuthenticationError):
        redis.ping()


@pytest.mark.slow
def test_celery_s_tools_reach_the_workers_but_end_none_and_junk_ends_none(broker_url: str, stack: Stack) -> None:
    stack.start("maintenance")
    app = make_celery(Settings(redis_url=broker_url))  # type: ignore[call-arg]
    control = app.control
    until(lambda: bool(control.ping(timeout=within(1))))
    (answer,) = control.broadcast("shutdown", reply=True, timeout=within(2))
    assert "only by a signal" in str(answer)
    pid = stack.processes["maintenance"].pid
    with Redis.from_url(broker_url) as redis:
        for queue in ("maintenance", INFERENCE):
            redis.lpush(f"pawsort:{queue}", b"no JSON")
        until(lambda: redis.llen("pawsort:maintenance") == 0)
    assert control.ping(timeout=within(2))
    assert stack.processes["maintenance"].poll() is None
    assert stack.processes["maintenance"].pid == pid
    until(lambda: "message_unreadable" in stack.log("maintenance", 200))
