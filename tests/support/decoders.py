"""Decoder children that the tests of one process share: starting one for each test would take most of its time."""

from core.decoding.pool.decoder_pool import DEFAULT_DECODER, DecodeLimits, DecoderPool

_POOLS: dict[tuple[str, float], DecoderPool] = {}


def shared_pool(decoder: str = DEFAULT_DECODER, cpu_s: float = 20.0) -> DecoderPool:
    """A pool of one child."""
    limits = DecodeLimits(50_000_000, 2**31, cpu_s)
    return _POOLS.setdefault((decoder, cpu_s), DecoderPool(decoder, limits=limits))


def close_all() -> None:
    """End the children."""
    for pool in _POOLS.values():
        pool.close()
    _POOLS.clear()
