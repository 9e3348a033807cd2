"""The upper bound by the hardware: only decoding and the network, in bare processes of one thread each."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

BATCH = 256


class BareProcesses:
    """Processes that have loaded and warmed up the shipped network, with one thread each."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def classify(self, paths: Sequence[Path]) -> float:
        """Decode and classify files, divided evenly. Returns the seconds it took."""
        started = time.perf_counter()
        for n, pipe in enumerate(self._pipes):
            pipe.send(paths[n :: len(self._pipes)])
        n_done = sum(pipe.recv() for pipe in self._pipes)
        seconds = time.perf_counter() - started
        if n_done != len(paths):
            raise RuntimeError(f"expected {len(paths)} predictions, got {n_done}")
        return seconds


@contextmanager
def bare_processes(n: int, network: str) -> Iterator[BareProcesses]:
    """Start `n` processes and wait until all are warmed up."""
    context = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(n):
        ours, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, network), daemon=True).start()
        pipes.append(ours)
    for pipe in pipes:
        pipe.recv()
    try:
        yield BareProcesses(pipes)
    finally:
        for pipe in pipes:
            pipe.send(None)


def _serve(pipe: Connection, network: str) -> None:
    from benchmarks.shipped import open_shipped
    from core.decoding.images import decode_image

    classifier = open_shipped(network)
    pipe.send("warm")
    while (paths := pipe.recv()) is not None:
        n_done = 0
        for start in range(0, len(paths), BATCH):
            batch = paths[start : start + BATCH]
            pixels = np.stack([decode_image(path.read_bytes(), classifier.side_px) for path in batch])
            n_done += len(classifier.predict(pixels))
        pipe.send(n_done)
