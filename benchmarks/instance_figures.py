"""A running instance in figures: how soon it is there, its memory, one picture, and its pages while a job runs."""

import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx2

from benchmarks.figures import Figures
from instance.base.programs import child_environment
from pawsort.client.pawsort import Pawsort
from pawsort.operations.references import new_id
from pawsort.uploads.sources import SourceFile, walk
from pawsort.uploads.transfer import limits_of, upload_files

PAWSORT = [sys.executable, "-m", "pawsort"]
POLL_S = 0.005
MIB = 2**20
ROLES = {
    "child_main": "decoders",
    "valkey": "broker",
    "web.wsgi": "web",
    "-Q inference": "inference",
    "-Q training": "training",
    "-Q maintenance": "maintenance",
    "pawsort up": "supervisor",
}


def measure_start(figures: Figures, folder: Path, rounds: int) -> None:
    """Seconds from `pawsort up` to its first page, and to `/readyz`."""
    pages, readies = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        with _instance(folder) as address:
            _until_answers(f"{address}/healthz")
            pages.append(time.perf_counter() - started)
            _until_answers(f"{address}/readyz")
            readies.append(time.perf_counter() - started)
    figures.add("pawsort up until the first page", statistics.median(pages), "s")
    figures.add("pawsort up until it is ready to classify", statistics.median(readies), "s")


@contextmanager
def _instance(folder: Path) -> Iterator[str]:
    command = [*PAWSORT, "up", "--data", str(folder), "--port", "0", "--until-stdin-closes"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        lines = iter(process.stdout.readline, b"")
        yield next(found[0] for line in lines if (found := re.search(r"http://[^/\s]+", line.decode())))
        process.stdin.close()
        process.wait()


def _until_answers(address: str) -> None:
    while True:
        with suppress(OSError), urllib.request.urlopen(address) as answer:
            if answer.status == 200:
                return
        time.sleep(POLL_S)


def measure_one_picture(figures: Figures, client: Pawsort, picture: Path, network: str, rounds: int) -> None:
    """Milliseconds from the first request for one picture to its label."""
    seconds = []
    for _ in range(rounds):
        upload, job = new_id(), new_id()
        files = [item for item in walk([picture]) if isinstance(item, SourceFile)]
        started = time.perf_counter()
        limits = limits_of(client.uploads.create(upload, name="one"))
        client.jobs.create(job, upload=upload, model=network, name="one")
        upload_files(client.uploads, upload, files, limits, on_uploaded=lambda _: None, on_skip=print)
        while client.jobs.get(job).state != "done":
            time.sleep(POLL_S)
        seconds.append(time.perf_counter() - started)
    figures.add(f"one picture by the API until its label, {network}", 1000 * statistics.median(seconds), "ms")


def measure_command(figures: Figures, data_dir: Path, picture: Path, rounds: int) -> None:
    """Seconds of `pawsort classify FILE` while an instance runs."""
    command = [*PAWSORT, "classify", str(picture), "-o", str(data_dir / "one.csv")]
    environment = child_environment() | {"PAWSORT_DATA_DIR": str(data_dir)}
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    figures.add("pawsort classify FILE", statistics.median(seconds), "s")


def measure_memory(figures: Figures, data_dir: Path, when: str) -> None:
    """Memory of each kind of process of an instance, and of all; shared pages are counted once."""
    by_role: dict[str, float] = {}
    for process, role in _find_processes(data_dir):
        with suppress(OSError):
            by_role[role] = by_role.get(role, 0) + _read_pss(process)
    for role, n_bytes in sorted(by_role.items()):
        figures.add(f"memory {when}: {role}", n_bytes / MIB, "MiB")
    figures.add(f"memory {when}: all processes", sum(by_role.values()) / MIB, "MiB")


def _find_processes(data_dir: Path) -> Iterator[tuple[Path, str]]:
    """The processes of the instance on a data directory, each with its role or that of its nearest ancestor."""
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal():
                parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                commands[int(process.name)] = command
    for pid in commands:
        line = [pid]
        while line[-1] in parents:
            line.append(parents[line[-1]])
        if any(str(data_dir) in commands.get(one, "") for one in line):
            known = (role for one in line for part, role in ROLES.items() if part in commands.get(one, ""))
            yield Path(f"/proc/{pid}"), next(known, "other")


def _read_pss(process: Path) -> int:
    rollup = (process / "smaps_rollup").read_text()
    return 1024 * int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])


def measure_pages(figures: Figures, address: str, token: str, job: str) -> None:
    """Milliseconds of the pages of a job, 95 of 100 at most: call it while jobs run."""
    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        for what, path in (
            ("job page", f"/jobs/{job}"),
            ("results", f"/api/v1/jobs/{job}/results?limit=100"),
            ("status poll", f"/api/v1/jobs/{job}"),
        ):
            seconds = [_time(partial(http.get, path)) for _ in range(20)]
            figures.add(f"{what} while a job runs, 19 of 20 within", 1000 * sorted(seconds)[-2], "ms")
        first = _time(lambda: _read_first_block(http, f"/api/v1/jobs/{job}/export.csv"))
        figures.add("first byte of a CSV while a job runs", 1000 * first, "ms")


def _read_first_block(http: httpx2.Client, path: str) -> bytes:
    with http.stream("GET", path) as answer:
        return next(answer.iter_raw())


def _time(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
