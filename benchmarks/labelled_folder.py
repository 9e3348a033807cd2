"""`pawsort train` on a labelled folder: seconds from its start to the first training step, and peak memory.

The command starts an instance of its own, uploads the folder, trains one epoch and stops. Memory is the sum over all of
its processes, with shared pages counted once. The database records a step up to a second late. CPU time is the sum over
all processes; it hardly depends on other load on the machine, unlike the time to the first step.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from core.base.database import Database
from core.orm.training import EpochRow, Training

POLL_S = 0.25
GIB = 2**30


def main() -> None:
    """Measure, and print what happened when."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="labelled, such as dogs-vs-cats/train")
    parser.add_argument("--network", default="seed-cnn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pawsort-bench-") as data_dir:
        measure(options.folder, options.network, Path(data_dir))


def measure(folder: Path, network: str, data_dir: Path) -> None:
    """Train one epoch and measure its processes from outside."""
    environment = {**os.environ, "PAWSORT_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", "pawsort.cli", "train", str(folder), "--network", network, "--epochs", "1"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    seen: dict[str, float] = {}
    most = largest = 0
    while process.poll() is None:
        for name in happened(data_dir):
            if name not in seen:
                seen[name] = time.perf_counter() - began
                used = sum(map(processor_s_of, below(process.pid)))
                print(
                    f"{seen[name]:6.1f} s ({used:.0f} s of CPU time): {name}; memory so far {most / GIB:.2f} GiB",
                    flush=True,
                )
        taken = [memory_of(pid) for pid in below(process.pid)]
        most, largest = max(most, sum(taken)), max(largest, *taken, 0)
        time.sleep(POLL_S)
    print(
        f"{network}: first step after {seen.get('first step', float('nan')):.1f} s; peak memory of all processes"
        f" {most / GIB:.2f} GiB, of one {largest / GIB:.2f} GiB; exit code {process.returncode}"
    )


def happened(data_dir: Path) -> Iterator[str]:
    """The phases that have begun according to the database."""
    path = data_dir / "pawsort.db"
    if not path.exists():
        return
    db = Database(f"sqlite:///{path}")
    try:
        with db.read() as session:
            training = session.scalar(select(Training))
            if training is not None:
                yield "training created"
                yield training.phase or "waiting"
                if training.phase == "training" and training.step > 0:
                    yield "first step"
            if session.scalar(select(EpochRow)) is not None:
                yield "epoch over"
    except SQLAlchemyError:  # its tables do not exist yet
        return
    finally:
        db.close()


def below(pid: int) -> list[int]:
    """A process and all of its descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def memory_of(pid: int) -> int:
    """Memory of a process in bytes; shared pages are divided among the processes that share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def processor_s_of(pid: int) -> float:
    """CPU time that a process and its ended children have used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
