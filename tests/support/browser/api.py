"""What the server has, asked through its interface."""

import csv
import io
from pathlib import Path
from typing import Any

import httpx2

from core.operations.instance_record import InstanceRecord
from tests.support.deadlines import within
from tests.support.waiting import until

PATIENCE_S = 120.0


class Api:
    """A program's view of an instance."""

    def __init__(self, instance: InstanceRecord) -> None:
        headers = {"Authorization": f"Bearer {instance.token}"}
        self.http = httpx2.Client(base_url=instance.address, headers=headers, timeout=within(30), trust_env=False)

    def newest_job(self) -> dict[str, Any]:
        """The job that was created last."""
        return dict(self.http.get("/api/v1/jobs?limit=1").raise_for_status().json()["items"][0])

    def wait_until_done(self, job_id: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """The job, once it has ended."""
        job: dict[str, Any] = {}

        def has_ended() -> bool:
            job.update(self.http.get(f"/api/v1/jobs/{job_id}").raise_for_status().json())
            return job["state"] not in ("receiving", "queued", "running")

        until(has_ended, patience_s, f"the end of job {job_id}", lambda: str(job))
        return job

    def rows(self, job_id: str) -> list[dict[str, str]]:
        """The job's table."""
        text = self.http.get(f"/api/v1/jobs/{job_id}/export.csv").raise_for_status().text
        return list(csv.DictReader(io.StringIO(text, newline="")))


def job_id_of(address: str) -> str:
    """The job whose page this is."""
    return Path(address.split("?")[0]).parts[-1]
