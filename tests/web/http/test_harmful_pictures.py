"""Pictures made for harm, through the real web process: thumbnails and reports of them cost little and delay nobody."""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import chain, cycle
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from core.base.database import Database
from core.orm.uploads import Image, Upload
from core.storage.blobs import Blobs
from tests.support import hostile_pictures
from tests.support.deadlines import within
from tests.support.factories import make_job, make_upload, run_job
from tests.support.pictures import jpeg
from tests.support.processes import largest_web_process, peak_memory_bytes

DATABASES = ("sqlite",)  # nothing here depends on the kind
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")

N_AT_ONCE = 40
SECONDS = 20.0
SIZES = (256, 1024)
MAX_HEALTH_S = 0.5
MAX_GROWTH_BYTES = 150 * 2**20
ANSWERS = {200, 404, 422, 503}


def paths_of(db: Database, blobs: Blobs, files: dict[str, bytes]) -> tuple[list[str], str]:
    """Thumbnails and the report of pictures that somebody has got past the workers."""
    upload = make_upload(db, blobs, files)
    job = make_job(db, upload)
    run_job(db, job)
    with db.read() as session:
        ids = session.scalars(select(Image.id).join(Upload).where(Upload.uuid == upload)).all()
    thumbnails = [f"/api/v1/images/{id}/thumbnail?size={size}" for id in ids for size in SIZES]
    return thumbnails, f"/api/v1/jobs/{job}/report.html"


def hostile_paths(db: Database, blobs: Blobs) -> list[str]:
    """Every fourth one is a report, as many are small as large."""
    small = hostile_pictures.within_limits() | {f"beyond/{n}": d for n, d in hostile_pictures.beyond_limits().items()}
    large = {"large.bmp": hostile_pictures.of_many_bytes()}
    made = [paths_of(db, blobs, files) for files in (small, large, large)]
    thumbnails, reports = chain.from_iterable(of_job[0] for of_job in made), cycle(of_job[1] for of_job in made)
    return [path for n, one in enumerate(thumbnails) for path in ((one, next(reports)) if n % 3 == 0 else (one,))]


def ask_health(address: httpx2.URL) -> int:
    """The status, on a new connection, by a client that takes little time itself."""
    connection = HTTPConnection(address.host, address.port, timeout=within(60))
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
def test_40_hostile_thumbnails_and_reports_at_once_delay_nobody(
    served: httpx2.Client, db: Database, blobs: Blobs
) -> None:
    [warm, *_], _ = paths_of(db, blobs, {"good.jpg": jpeg(1)})
    assert served.get(warm).status_code == 200
    pid = largest_web_process()
    before = peak_memory_bytes(pid)
    paths = cycle(hostile_paths(db, blobs))
    start = time.monotonic()

    def ask() -> Counter[int]:
        answers: Counter[int] = Counter()
        with httpx2.Client(base_url=served.base_url, headers=served.headers, timeout=within(120)) as client:
            while time.monotonic() - start < SECONDS:
                answer = client.get(next(paths))
                answers[answer.status_code] += 1
                time.sleep(float(answer.headers.get("Retry-After", 0)))
        return answers

    waited = []
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        asking = [pool.submit(ask) for _ in range(N_AT_ONCE)]
        while time.monotonic() - start < SECONDS:
            began_at = time.monotonic()
            assert ask_health(served.base_url) == 200
            waited.append(time.monotonic() - began_at)
            time.sleep(0.02)
        answers = sum((one.result() for one in asking), Counter())
    grown = peak_memory_bytes(pid) - before
    print(f"{dict(answers)}; healthz {max(waited):.2f} s at most of {len(waited)}; {grown / 2**20:.0f} MiB more")
    print(f"load {os.getloadavg()}")
    assert set(answers) <= ANSWERS
    assert answers[200]
    assert max(waited) < within(MAX_HEALTH_S)
    assert grown < MAX_GROWTH_BYTES
