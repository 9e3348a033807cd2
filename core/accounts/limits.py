"""Limits on how often somebody may ask, and on attempts to log in. They are kept in Redis, for all web processes.

Everything here expires by itself. While Redis does not respond nobody is refused: it is asked again after a few
seconds, and the log says once that limits are off and once that they are on again.
"""

import hashlib
import ipaddress
import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.base.config import Settings
from core.base.errors import TooMany

log = structlog.get_logger()

REDIS_TIMEOUT_S = 0.25
AWAY_S = 5.0
MINUTE_S = 60.0


class Bucket(NamedTuple):
    """A token bucket: `n` at once, and as many again in `every_s`; 0 for no limit. More can be taken than is left.

    Source: the generic cell rate algorithm (ITU-T I.371), which keeps one time for each bucket.
    """

    name: str
    n: float
    every_s: float = MINUTE_S


class Attempts(NamedTuple):
    """Attempts that are free, after which each one doubles the wait before the next."""

    free: int
    first_wait_s: float = 30.0
    longest_wait_s: float = 900.0


# Somebody who tries names from one place meets the first two. The third one is wide, since anybody can fill it for a
# name that they know.
BY_NAME_AND_ADDRESS = Attempts(5)
BY_ADDRESS = Attempts(20)
BY_NAME = Attempts(50)
FORGOTTEN_AFTER_S = 3600

# KEYS: one bucket. ARGV: seconds of the bucket that are taken, and that it holds. Returns the seconds to wait, or 0.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = full_at - now - tonumber(ARGV[2])
if wait > 0 then return tostring(wait) end
full_at = full_at + tonumber(ARGV[1])
if full_at > now then
    redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000))
end
return '0'
"""

# KEYS: counters. ARGV: when they are forgotten; for each counter its free attempts, first and longest wait. An attempt
# that has to wait is not counted.
_ATTEMPT = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local wait = 0
for i, key in ipairs(KEYS) do
    wait = math.max(wait, tonumber(redis.call('HGET', key, 'next_at') or '0') - now)
end
if wait > 0 then return tostring(wait) end
for i, key in ipairs(KEYS) do
    local n = redis.call('HINCRBY', key, 'n', 1)
    local free, first, longest = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    if n >= free then
        local pause = math.min(first * 2 ^ math.min(n - free, 30), longest)
        redis.call('HSET', key, 'next_at', string.format('%.6f', now + pause))
    end
    redis.call('EXPIRE', key, ARGV[1])
end
return '0'
"""


class RateLimiter:
    """Counts for all processes that use one Redis."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = f"{settings.redis_prefix}limit:"
        self._url = settings.redis_url
        self._redis: Redis | None = None
        self._away_until = 0.0

    def take(self, bucket: Bucket, who: str, n: float = 1.0) -> None:
        """Take `n` from the bucket of somebody.

        Raises:
            TooMany: It is empty.
        """
        wait_s = self._take(bucket, who, n, bucket.n - 1)
        if wait_s > 0:
            raise TooMany(
                f"You have sent more than this server accepts within {bucket.every_s:.0f} s. Try again in"
                f" {in_words(wait_s)}.",
                wait_s,
            )

    def charge(self, bucket: Bucket, who: str, n: float) -> None:
        """Take `n` for something that has been done already; what the bucket does not hold is owed."""
        self._take(bucket, who, n, math.inf)

    def _take(self, bucket: Bucket, who: str, n: float, n_held: float) -> float:
        if not bucket.n:
            return 0.0
        each_s = bucket.every_s / bucket.n
        return self._run(_TAKE, [self._key(bucket.name, who)], [n * each_s, n_held * each_s])

    def check_attempt(self, name: str | None, address: str) -> None:
        """Count an attempt to log in, before the password or token is looked at.

        Args:
            name: The person that somebody says to be; None where a login names nobody, as with a token.
            address: Of the client.
        Raises:
            TooMany: There were too many, by this name or from this address.
        """
        counters = self._counters(name, address)
        limits = [value for attempts in counters.values() for value in attempts]
        wait_s = self._run(_ATTEMPT, list(counters), [FORGOTTEN_AFTER_S, *limits])
        if wait_s > 0:
            raise TooMany(f"There were too many attempts to log in. Try again in {in_words(wait_s)}.", wait_s)

    def forget_attempts(self, name: str | None, address: str) -> None:
        """Forget the attempts of somebody who has logged in."""
        self._run("return tostring(redis.call('DEL', unpack(KEYS)))", list(self._counters(name, address)), [])

    def _counters(self, name: str | None, address: str) -> dict[str, Attempts]:
        network = network_of(address)
        counters = {self._key("attempts", network): BY_ADDRESS}
        if name is not None:
            counters[self._key("attempts", name, network)] = BY_NAME_AND_ADDRESS
            counters[self._key("attempts of", name)] = BY_NAME
        return counters

    def _key(self, *parts: str) -> str:
        """A key of fixed length: names and addresses come from strangers."""
        return self._prefix + hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> float:
        """Run a script that returns seconds; 0 while Redis does not respond."""
        if time.monotonic() < self._away_until or not self._url:
            return 0.0
        try:
            if self._redis is None:
                self._redis = _connect(self._url)
            found: Any = self._redis.eval(script, len(keys), *keys, *arguments)
        except (RedisError, OSError, ValueError) as error:
            if self._away_until == 0.0:
                log.warning("limits_off", error=str(error), note="nobody is refused until Redis responds again")
            self._away_until = time.monotonic() + AWAY_S
            return 0.0
        if self._away_until:
            log.info("limits_on")
            self._away_until = 0.0
        return float(found)


def _connect(url: str) -> Redis:
    """A connection that never delays a request for long: it does not try twice."""
    timeouts = {"socket_timeout": REDIS_TIMEOUT_S, "socket_connect_timeout": REDIS_TIMEOUT_S}
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **timeouts)


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or an IPv6 network of 64 bits, in which any address can be chosen."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def in_words(seconds: float) -> str:
    """ "7 seconds", "3 minutes", rounded up."""
    n, unit = (math.ceil(seconds), "second") if seconds <= 90 else (math.ceil(seconds / 60), "minute")
    return f"{n} {unit}" if n == 1 else f"{n} {unit}s"
