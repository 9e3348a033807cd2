"""Archives made for harm, through the real web process: little memory, little time, a clear answer to each."""

import io
import os
import random
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Literal
from uuid import uuid4

import httpx2
import pytest

from tests.support.deadlines import within
from tests.support.factories import draw_picture
from tests.support.harmful_archives import KINDS, MIB
from tests.support.processes import largest_web_process, peak_memory_bytes

DATABASES = ("sqlite",)  # nothing here depends on the kind
SEED = 500
N_ARCHIVES = int(os.environ.get("PAWSORT_TEST_N_ARCHIVES", "500"))
MAX_GROWTH_BYTES = 100 * MIB
MAX_S = 60.0


def warm_up(served: httpx2.Client) -> None:
    """Send usual archives of several kinds, with names in an old encoding among them: what they load stays."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for name in ("写真/猫.jpg", "写真/犬.jpg"):
            archive.writestr(name.encode("cp932").decode("cp437"), draw_picture(1))
    usual = [zipped.getvalue(), *(pack_tar(mode) for mode in ("w:gz", "w:bz2", "w:xz"))]
    for data in usual * 2:
        send_and_check(served, data, "a usual archive")


def pack_tar(mode: Literal["w:gz", "w:bz2", "w:xz"]) -> bytes:
    packed, picture = io.BytesIO(), draw_picture(1)
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = len(picture)
        tar.addfile(member, io.BytesIO(picture))
    return packed.getvalue()


def send_and_check(served: httpx2.Client, data: bytes, what: str) -> float:
    started = time.monotonic()
    answer = served.put(f"/api/v1/archives?id={uuid4()}", content=data, timeout=within(10 * MAX_S))
    seconds = time.monotonic() - started
    assert answer.status_code in (202, 413, 422), f"{what}: {answer.text}"
    assert answer.status_code == 202 or answer.json()["detail"].endswith("."), what
    return seconds


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_harmful_archive_of_each_kind_costs_little_and_gets_an_answer(
    served: httpx2.Client, subtests: pytest.Subtests
) -> None:
    send_and_check(served, b"PK\x05\x06" + bytes(18), "a first request, after which the process is warm")
    for kind in KINDS:
        with subtests.test(kind.__name__):
            before = peak_memory_bytes(largest_web_process())
            seconds = send_and_check(served, kind(2 * MIB, random.Random(SEED)), kind.__name__)
            assert seconds < within(MAX_S / 4)
            assert peak_memory_bytes(largest_web_process()) - before < MAX_GROWTH_BYTES
            assert served.get("/healthz").status_code == 200


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_500_harmful_archives_of_64_mib_cost_little_and_get_answers(served: httpx2.Client) -> None:
    warm_up(served)
    before = peak_memory_bytes(largest_web_process())
    slowest = 0.0
    for number in range(N_ARCHIVES):
        kind = KINDS[number % len(KINDS)]
        what = f"{kind.__name__}, seed {SEED + number}"
        seconds = send_and_check(served, kind(64 * MIB, random.Random(SEED + number)), what)
        slowest = max(slowest, seconds)
        growth = peak_memory_bytes(largest_web_process()) - before
        if number % 25 == 24:
            print(f"{number + 1} archives: the web grew by {growth / MIB:.1f} MiB, slowest {slowest:.1f} s")
        assert seconds < within(MAX_S), what
        assert growth < MAX_GROWTH_BYTES, what
