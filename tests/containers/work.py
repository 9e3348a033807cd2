"""A job of a thousand pictures, sent through the proxy with the command that people use."""

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.containers.project import Project
from tests.support.deadlines import within
from tests.support.waiting import until

N_PICTURES = 1_000
END_S = 240.0
VOLATILE = ("image_id",)  # another upload of the same pictures has other ids


class Job:
    """A job under way.

    Args:
        out: The file for its results.
    """

    def __init__(self, project: Project, pictures: Path, out: Path) -> None:
        self._out = out
        self.token = project.token()
        headers = {"Authorization": f"Bearer {self.token}"}
        self._http = httpx.Client(base_url=project.server, headers=headers, trust_env=False)
        words = ["classify", str(pictures), "-o", str(out), "--server", project.server, "--token", self.token]
        self._before = self._newest()
        self._sender = subprocess.Popen(
            [sys.executable, "-m", "pawsort", *words],
            env={**os.environ, "NO_PROXY": "*"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _newest(self) -> dict[str, object]:
        try:
            items: list[dict[str, object]] = self._http.get("/api/v1/jobs?limit=1").json()["items"]
        except (httpx.HTTPError, ValueError, KeyError):  # the fault of this test
            return {}
        return items[0] if items else {}

    def wait_for_results(self) -> None:
        """Wait until a part of the pictures is classified, and check that another part is not."""

        def n_done() -> int:
            job = self._newest()
            if not job or job["id"] == self._before.get("id"):
                return 0
            return int(job["counts"]["done"])  # type: ignore[index]

        assert until(n_done, END_S, "first results") < N_PICTURES, "the job ended before the fault"

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, *_: object) -> None:
        self._sender.kill()
        self._sender.communicate()
        self._http.close()

    def lines(self) -> list[str]:
        """Wait for the end; returns each picture's results as a line."""
        said, _ = self._sender.communicate(timeout=within(END_S))
        assert self._sender.returncode == 0, said
        with self._out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == N_PICTURES
        assert {row["error_code"] for row in rows} == {""}
        return [",".join(value for name, value in row.items() if name not in VOLATILE) for row in rows]


def seconds_to_end(job: Job, expected: list[str]) -> float:
    """Wait for the end of a job, compare its results, and return the seconds."""
    begun = time.monotonic()
    assert job.lines() == expected
    return time.monotonic() - begun
