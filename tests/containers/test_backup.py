"""Backup and restore as documented: while a job runs, into an installation without any data."""

import os
from pathlib import Path

import httpx2

from tests.containers.project import Project
from tests.containers.work import END_S, Job
from tests.support.waiting import until


def run(project: Project, folder: Path, *words: str) -> str:
    """Run a command of the page about backups."""
    volume = f"{folder}:/backup"
    return project.compose("run", "--rm", "--user", str(os.getuid()), "--volume", volume, "migrate", *words).stdout


def test_a_backup_made_while_a_job_runs_is_restored_and_the_job_ends_there(
    project: Project, pictures: Path, undisturbed: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    with Job(project, pictures, tmp_path / "out.csv") as job:
        job.wait_for_results()
        run(project, folder, "pawsort", "backup", "/backup")
        assert job.lines() == undisturbed
    later_token = project.token()

    def ask(path: str, token: str = job.token) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.get(f"{project.server}/api/v1/{path}", headers=headers, trust_env=False, timeout=30)

    first, *_, newest = [one["id"] for one in reversed(ask("jobs?limit=100").json()["items"])]
    before = {one: ask(f"jobs/{one}/export.csv").text for one in (first, newest)}

    project.compose("down", "--volumes")
    project.compose("up", "--detach", "--no-build", "postgres", "redis", "s3", "bucket")
    run(project, folder, "pawsort", "restore", "/backup")
    project.start()

    assert ask(f"jobs/{first}/export.csv").text == before[first]
    until(lambda: ask(f"jobs/{newest}").json()["state"] == "done", END_S, "the job to end after the restore")
    assert ask(f"jobs/{newest}/export.csv").text == before[newest]
    assert ask("jobs", later_token).status_code == 401
    doctor = project.execute("web", "pawsort", "doctor", check=False)
    assert doctor.returncode == 0, doctor.stdout
