"""A job of many pictures, sent through the proxy with the command that people use."""

import csv
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.containers.project import Project
from tests.support.pictures import jpeg
from tests.support.waiting import until

N_PICTURES = 1_000
END_S = 240.0
VOLATILE = ("image_id",)  # another upload of the same pictures has other ids


def draw_pictures(folder: Path, n: int) -> Path:
    """Fill a new folder with different pictures."""
    folder.mkdir()
    for number in range(n):
        (folder / f"{number:04}.jpg").write_bytes(jpeg(number, size=(48, 36)) + str(number).encode())
    return folder


class Job:
    """A job under way.

    Args:
        pictures: The folder to send.
        out: The file for its results.
    """

    def __init__(self, project: Project, pictures: Path, out: Path) -> None:
        self.token = project.token()
        self._n_pictures = len(list(pictures.iterdir()))
        headers = {"Authorization": f"Bearer {self.token}"}
        self._http = httpx2.Client(base_url=project.server, headers=headers, trust_env=False)
        words = ["classify", str(pictures), "-o", str(out), "--server", project.server]
        self._before = self._newest()
        self._sender = subprocess.Popen(
            [sys.executable, "-m", "pawsort", *words],
            env={**os.environ, "NO_PROXY": "*", "PAWSORT_TOKEN": self.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _newest(self) -> dict[str, Any]:
        try:
            items: list[dict[str, Any]] = self._http.get("/api/v1/jobs?limit=1").json()["items"]
        except (httpx2.HTTPError, ValueError, KeyError):  # the fault of this test
            return {}
        return items[0] if items else {}

    def wait_for_results(self) -> int:
        """Wait until the server says that a part of the pictures is classified, and check that another part is not.

        Returns:
            How many are classified.
        """
        n_done: int = until(lambda: (self._sent() or {"counts": {"done": 0}})["counts"]["done"], END_S, "first results")
        assert n_done < self._n_pictures, "the job has ended already"
        return n_done

    def _sent(self) -> dict[str, Any] | None:
        job = self._newest()
        is_sent = job and job["id"] != self._before.get("id") and job["state"] not in ("receiving", "queued")
        return job if is_sent else None

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *_: object) -> None:
        self._sender.kill()
        self._sender.communicate()
        self._http.close()

    def lines(self) -> list[str]:
        """Wait for the end; returns each picture's results as a line.

        The sender may give up before a long fault is over. The job does not.
        """
        job = until(lambda: one if (one := self._sent()) and one["state"] == "done" else None, END_S, "the job to end")
        table = self._http.get(f"/api/v1/jobs/{job['id']}/export.csv").raise_for_status().text
        rows = list(csv.DictReader(io.StringIO(table)))
        assert len(rows) == self._n_pictures
        assert (job["counts"]["done"], job["counts"]["failed"]) == (self._n_pictures, 0)
        assert {row["error_code"] for row in rows} == {""}
        return [",".join(value for name, value in row.items() if name not in VOLATILE) for row in rows]


def seconds_to_end(job: Job, expected: list[str]) -> float:
    """Wait for the end of a job, compare its results, and return the seconds."""
    begun = time.monotonic()
    assert job.lines() == expected
    return time.monotonic() - begun
