"""Simulate a day of many images over many workers, with the costs that docs/performance.md records.

python -m benchmarks.scale --images 100000000 --workers 50
"""

import argparse
import heapq
import math
import random
from dataclasses import dataclass
from itertools import count

CHUNK = 256
DAY_S = 86_400.0
PREDICT_PER_S = 213.0  # efficientnet-lite0 on one core with LiteRT
DECODE_PER_S = 557.0  # photographs of 24 KB to 224 px, on one core
PER_CHUNK_S = 0.12  # claim, read, record: seven statements and one blob
LEASE_S = 15.0
RESTART_S = 25.0  # until a process that was killed has its network again
PEAK = 0.6  # the busiest hour has this much more than the mean, the quietest this much less


@dataclass
class Outcome:
    """What a day brought."""

    n_chunks: int = 0
    n_repeated: int = 0
    busy_s: float = 0.0
    longest_wait_s: float = 0.0
    total_wait_s: float = 0.0
    ended_at_s: float = 0.0


Outages = list[tuple[float, float]]


def simulate(n_images: int, n_workers: int, kills_per_worker: float, outages: Outages, seed: int) -> Outcome:
    """Let chunks arrive, be claimed in order, be lost with killed workers, and be claimed again after their lease."""
    rng, order, outcome = random.Random(seed), count(), Outcome()
    ready = [(at, next(order), at) for at in arrivals(n_images // CHUNK, rng)]  # when it can be claimed, order, arrival
    heapq.heapify(ready)
    free = [(0.0, worker) for worker in range(n_workers)]
    heapq.heapify(free)
    kill_after_s = DAY_S / kills_per_worker if kills_per_worker else math.inf
    kill_at = [rng.expovariate(1 / kill_after_s) for _ in range(n_workers)]
    while ready:
        claimable_at, _, arrived_at = heapq.heappop(ready)
        free_at, worker = heapq.heappop(free)
        start = after_outages(max(claimable_at, free_at), outages)
        cost_s = CHUNK / PREDICT_PER_S + CHUNK / DECODE_PER_S + PER_CHUNK_S
        end = after_outages(start + cost_s * rng.uniform(0.9, 1.3), outages)
        if start <= kill_at[worker] < end:
            outcome.n_repeated += 1
            heapq.heappush(ready, (kill_at[worker] + LEASE_S, next(order), arrived_at))
            heapq.heappush(free, (kill_at[worker] + RESTART_S, worker))
            kill_at[worker] += RESTART_S + rng.expovariate(1 / kill_after_s)
            continue
        while kill_at[worker] < end:  # it was killed while it had nothing to do
            kill_at[worker] += rng.expovariate(1 / kill_after_s)
        outcome.n_chunks += 1
        outcome.busy_s += end - start
        outcome.total_wait_s += start - arrived_at
        outcome.longest_wait_s = max(outcome.longest_wait_s, start - arrived_at)
        outcome.ended_at_s = max(outcome.ended_at_s, end)
        heapq.heappush(free, (end, worker))
    return outcome


def arrivals(n: int, rng: random.Random) -> list[float]:
    """Times of the day at which chunks arrive, with a busy and a quiet half."""
    times = []
    while len(times) < n:
        at = rng.uniform(0, DAY_S)
        if rng.uniform(0, 1 + PEAK) < 1 + PEAK * math.sin(2 * math.pi * at / DAY_S):
            times.append(at)
    return times


def after_outages(at: float, outages: Outages) -> float:
    """The time at which something that needs the database goes on."""
    return next((end for begin, end in outages if begin <= at < end), at)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000_000)
    parser.add_argument("--workers", type=int, default=50, help="processes, each with a core")
    parser.add_argument("--kills", type=float, default=4.0, help="of each worker in a day")
    parser.add_argument("--outages", type=int, default=3, help="of the database, two minutes each")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begins = [DAY_S * (number + 1) / (given.outages + 1) for number in range(given.outages)]
    day = simulate(given.images, given.workers, given.kills, [(begin, begin + 120) for begin in begins], given.seed)
    busy = day.busy_s / DAY_S / given.workers
    print(f"chunks {day.n_chunks:,}, done again {day.n_repeated}, workers busy {busy:.0%}")
    print(f"wait: mean {day.total_wait_s / day.n_chunks:.1f} s, longest {day.longest_wait_s:.0f} s")
    print(f"the last one ended {day.ended_at_s - DAY_S:+.0f} s after midnight")


if __name__ == "__main__":
    main()
