"""The files next to docker-compose.yml: beat as a service of its own, and a way out for webhooks."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.containers import images
from tests.containers.project import NAME, RECEIVER, Project
from tests.containers.work import END_S, N_PICTURES, Job
from tests.support import compose
from tests.support.waiting import until

FILES = (compose.BEAT, compose.WEBHOOKS)
PORT = 8000
SERVE = f"""
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204)
        self.end_headers()

HTTPServer(("", {PORT}), Handler).serve_forever()
"""


@pytest.fixture
def receiver(project: Project) -> Iterator[str]:
    """A program outside that receives webhooks; both files are in use."""
    project.start(files=FILES)
    words = ("--network", f"{NAME}_webhooks", "--network-alias", RECEIVER, images.base_name(), "python3", "-c", SERVE)
    container = project.engine.ask("run", "--detach", *words)
    try:
        yield container
    finally:
        project.engine.run("rm", "--force", container)
        project.start("--remove-orphans")


def test_a_job_ends_with_a_beat_of_its_own_and_sends_a_webhook(
    project: Project, receiver: str, pictures: Path, undisturbed: list[str], tmp_path: Path
) -> None:
    assert set(project.states().values()) == {"healthy"}
    (maintenance,) = project.containers("maintenance")
    assert project.inspect(maintenance)["Config"]["Cmd"][-1] == "--without-beat"
    with Job(project, pictures, tmp_path / "out.csv") as job:
        webhook = {"name": "archive", "url": f"http://{RECEIVER}:{PORT}/", "events": ["job.done"]}
        headers = {"Authorization": f"Bearer {job.token}"}
        httpx2.post(
            f"{project.server}/api/v1/webhooks", json=webhook, headers=headers, trust_env=False
        ).raise_for_status()
        assert job.lines() == undisturbed
    lines = until(lambda: project.engine.ask("logs", receiver).splitlines(), END_S, "the message")
    message = json.loads(lines[0])
    assert message["type"] == "job.done"
    assert message["data"]["counts"] == {"total": N_PICTURES, "done": N_PICTURES, "failed": 0}
    doctor = project.execute("web", "pawsort", "doctor", check=False)
    assert doctor.returncode == 0, doctor.stdout
