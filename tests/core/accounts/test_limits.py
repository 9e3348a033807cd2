"""Limits in a real Redis."""

import time
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from core.accounts import limits
from core.accounts.limits import Attempts, Bucket, RateLimiter, in_words, network_of
from core.base.config import Settings
from core.base.errors import TooMany

ONE = Bucket("one", 1)


@pytest.fixture
def limiter(redis_url: str) -> RateLimiter:
    return RateLimiter(Settings(_env_file=None, redis_url=redis_url))  # type: ignore[call-arg]


def n_free(limiter: RateLimiter, name: str | None, address: str) -> int:
    """How many attempts are possible at once."""
    for n in range(200):
        try:
            limiter.check_attempt(name, address)
        except TooMany:
            return n
    raise AssertionError("there is no limit")


def test_a_bucket_holds_what_it_says_and_says_when_there_is_more(limiter: RateLimiter) -> None:
    bucket = Bucket("pictures", 3, every_s=3000)
    for _ in range(3):
        limiter.take(bucket, "maya")
    with pytest.raises(TooMany, match="Try again in 17 minutes") as refused:
        limiter.take(bucket, "maya")
    assert 960 < refused.value.retry_after_s <= 1000


def test_people_and_buckets_do_not_share(limiter: RateLimiter) -> None:
    limiter.take(ONE, "maya")
    limiter.take(ONE, "noor")
    limiter.take(Bucket("two", 1), "maya")
    with pytest.raises(TooMany):
        limiter.take(ONE, "maya")


def test_a_bucket_fills_again(limiter: RateLimiter) -> None:
    quick = Bucket("quick", 1, every_s=0.05)
    limiter.take(quick, "maya")
    time.sleep(0.06)
    limiter.take(quick, "maya")


def test_more_than_is_left_can_be_taken_and_is_owed(limiter: RateLimiter) -> None:
    limiter.take(Bucket("bytes", 100), "maya", 1000)
    with pytest.raises(TooMany, match="Try again in 10 minutes"):
        limiter.take(Bucket("bytes", 100), "maya", 1)


def test_attempts_end_by_name_and_address(limiter: RateLimiter) -> None:
    assert n_free(limiter, "maya", "192.0.2.1") == 5
    assert n_free(limiter, "maya", "192.0.2.2") == 5
    assert n_free(limiter, "noor", "192.0.2.1") == 5


def test_attempts_with_many_names_end_by_address(limiter: RateLimiter) -> None:
    assert n_free(limiter, None, "192.0.2.1") == 20
    with pytest.raises(TooMany):
        limiter.check_attempt("maya", "192.0.2.1")


def test_attempts_from_all_addresses_of_one_ipv6_network_are_counted_together(limiter: RateLimiter) -> None:
    assert sum(n_free(limiter, None, f"2001:db8:0:1::{n:x}") for n in range(1, 30)) == 20
    assert n_free(limiter, None, "2001:db8:0:2::1") == 20


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::7:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_is_counted_is_what_one_subscriber_has(address: str, network: str) -> None:
    assert network_of(address) == network


def test_attempts_from_many_addresses_end_by_name(limiter: RateLimiter) -> None:
    assert sum(n_free(limiter, "maya", f"192.0.2.{n}") for n in range(20)) == 50


def test_a_login_makes_earlier_attempts_forgotten(limiter: RateLimiter) -> None:
    n_free(limiter, "maya", "192.0.2.1")
    limiter.forget_attempts("maya", "192.0.2.1")
    assert n_free(limiter, "maya", "192.0.2.1") == 5


def test_each_further_attempt_waits_twice_as_long(
    limiter: RateLimiter, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BY_ADDRESS", Attempts(1, first_wait_s=100, longest_wait_s=1000))
    waits = []
    for _ in range(3):
        limiter.check_attempt(None, "192.0.2.1")
        with pytest.raises(TooMany) as refused:
            limiter.check_attempt(None, "192.0.2.1")
        waits.append(refused.value.retry_after_s)
        with Redis.from_url(redis_url) as redis:
            for counter in redis.scan_iter():
                redis.hset(counter, "next_at", 0)  # as if the wait were over
    assert waits[0] <= 100 < waits[1] <= 200 < waits[2] <= 400  # less what has passed since


def test_nobody_is_refused_while_redis_is_away_and_the_log_says_so_once(tmp_path: Path) -> None:
    limiter = RateLimiter(Settings(_env_file=None, redis_url=f"unix://{tmp_path}/none"))  # type: ignore[call-arg]
    with capture_logs() as logs:
        for _ in range(30):
            limiter.take(ONE, "maya")
            limiter.check_attempt("maya", "192.0.2.1")
    assert [line["event"] for line in logs] == ["limits_off"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 second"), (59.1, "60 seconds"), (91, "2 minutes"), (900, "15 minutes")]
)
def test_waits_are_rounded_up(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
