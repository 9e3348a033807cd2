"""The sorted zip of 10,000 originals: memory flat, the first bytes at once, every name and every byte."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from core.base.database import Database
from core.base.errors import ErrorCode
from tests.support.deadlines import within
from tests.support.factories import make_tar, run_job

DATABASES = ("sqlite",)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timed,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

N = 10_000
EACH_SHARD = 250
FILE_BYTES = 30_000
MIB = 2**20
MOST_GROWTH_BYTES = 50 * MIB
FIRST_BYTE_S = 1.0


def path_of(n: int) -> str:
    """Folders of every depth, names that need UTF-8, and every tenth with an odd one."""
    name = f"猫 & Hund ({n}).JPG" if n % 10 == 0 else f"IMG_{n:05}.jpg"
    return "/".join(["photos", *(f"folder {n % 7}" for _ in range(n % 4)), name])


def content_of(n: int) -> bytes:
    return random.Random(n).randbytes(FILE_BYTES + n % 999)


def said_of(n: int) -> tuple[float, float] | ErrorCode:
    return ((0.95, 0.02), (0.02, 0.95), (0.4, 0.4))[n % 3] if n % 100 else ErrorCode.TRUNCATED


def label_of(n: int) -> str:
    return ("cat", "dog", "unsure")[n % 3]


def test_a_sorted_zip_of_ten_thousand_originals_keeps_memory_flat_and_names_exact(
    served: httpx2.Client, db: Database, tmp_path: Path
) -> None:
    job = uuid4()
    _send(served, str(job))
    run_job(db, job, {path_of(n): said_of(n) for n in range(N)})
    url = f"/api/v1/jobs/{job}/export.zip?by=model"
    with served.stream("GET", url) as answer:  # whatever is loaded once is loaded now
        next(answer.iter_bytes())
    pids = list(_children(os.getpid()))
    before = [_status(pid, "VmRSS") for pid in pids]
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # the peak is counted anew
    first_byte_s = _download(served, url, tmp_path / "sorted.zip")
    growth = [_status(pid, "VmHWM") - one for pid, one in zip(pids, before, strict=True)]
    size = (tmp_path / "sorted.zip").stat().st_size
    print(f"{size / MIB:.0f} MiB, first byte after {first_byte_s:.2f} s, memory +{max(growth) / MIB:.1f} MiB")
    assert len(pids) >= 2
    assert max(growth) < MOST_GROWTH_BYTES < size / 4
    assert first_byte_s < FIRST_BYTE_S
    _check(tmp_path)


def _send(served: httpx2.Client, job: str) -> None:
    served.put(f"/api/v1/uploads/{job}", json={"name": "photos"}).raise_for_status()
    for seq, start in enumerate(range(0, N, EACH_SHARD)):
        tar = make_tar({path_of(n): content_of(n) for n in range(start, start + EACH_SHARD)})
        served.put(f"/api/v1/uploads/{job}/shards/{seq}", content=tar).raise_for_status()
    served.post(f"/api/v1/uploads/{job}/complete", json={"n_shards": N // EACH_SHARD}).raise_for_status()
    served.put(f"/api/v1/jobs/{job}", json={"upload": job}).raise_for_status()


def _download(served: httpx2.Client, url: str, target: Path) -> float:
    """Save it; returns after how many seconds the first byte came."""
    started, first_s = time.monotonic(), None
    with served.stream("GET", url) as answer, target.open("wb") as file:
        answer.raise_for_status()
        for block in answer.iter_raw():
            first_s = first_s or time.monotonic() - started
            file.write(block)
    assert first_s is not None
    return first_s


def _check(folder: Path) -> None:
    good = {f"{label_of(n)}/{path_of(n)}": n for n in range(N) if not isinstance(said_of(n), ErrorCode)}
    if (unzip := shutil.which("unzip")) is not None:
        command = [unzip, "-q", str(folder / "sorted.zip"), "-d", str(folder / "unpacked")]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=within(300), env=os.environ | {"LC_ALL": "C.UTF-8"}
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        there = {str(p.relative_to(folder / "unpacked")) for p in (folder / "unpacked").rglob("*") if p.is_file()}
        assert there == {*good, "pawsort-manifest.jsonl", "errors.csv"}
    with zipfile.ZipFile(folder / "sorted.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted([*good, "pawsort-manifest.jsonl", "errors.csv"])
        for name in list(good)[::97]:
            assert hashlib.sha256(archive.read(name)).digest() == hashlib.sha256(content_of(good[name])).digest()
        assert archive.read("errors.csv").count(b"\n") == 1 + N // 100


def _children(pid: int) -> Iterator[int]:
    """The web server's processes below this one."""
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()):
        if b"web.wsgi:app" in Path(f"/proc/{child}/cmdline").read_bytes():
            yield child
            yield from _children(child)


def _status(pid: int, field: str) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))
