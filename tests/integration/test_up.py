"""`pawsort up` and `pawsort classify` as a person calls them: whole programs, real folders, real signals."""

import csv
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from instance.base.instance_record import read_record
from instance.supervisor.attach import started_instance
from pawsort.api.http_client import PawsortClient
from tests.client.processes import is_alive, wait_until
from tests.factories import draw_picture
from tests.faults.installation import Installation, overload
from tests.faults.processes import kill, living_below

N_FILES = 300


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    one = Installation(tmp_path / "data", PAWSORT_MIN_FREE_BYTES="0", PAWSORT_INFERENCE_PROCESSES="1")
    one.data_dir.mkdir()
    yield one
    one.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "фото"
    folder.mkdir()
    for number in range(N_FILES):
        (folder / f"{number:04d}.jpg").write_bytes(draw_picture(number))
    (folder / "empty.jpg").touch()
    return folder


def pawsort(installation: Installation, *words: object, seconds: float = 150) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pawsort.cli", *map(str, words)]
    return subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=seconds, check=False
    )


def start_pawsort(installation: Installation, *words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pawsort.cli", *map(str, words)]
    return subprocess.Popen(
        command, env=installation.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def arrived(installation: Installation) -> int:
    """How many files the jobs of a running instance hold."""
    record = read_record(installation.data_dir)
    if record is None:
        return 0
    with PawsortClient(record.address, record.token) as client:
        return sum(job["counts"]["total"] for job in client.list_jobs())


def printed(installation: Installation) -> str:
    return (installation.data_dir / "up.txt").read_text(encoding="utf-8")


def all_logs(installation: Installation) -> str:
    return "".join(log.read_text("utf-8", "replace") for log in (installation.data_dir / "logs").glob("*.log"))


def test_classify_starts_an_instance_for_its_time_and_what_it_did_is_there_afterwards(
    installation: Installation, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    done = pawsort(installation, "classify", photos, "-o", out)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"{N_FILES + 1:,} images in .* 1 failed", done.stderr)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [row["path"] for row in rows] == [f"фото/{n:04d}.jpg" for n in range(N_FILES)] + ["фото/empty.jpg"]
    assert rows[-1]["error_code"] == "empty_file"
    assert not (installation.data_dir / "instance.json").exists()

    installation.start()
    with installation.client() as client:
        jobs = list(client.list_jobs())
    assert [(job["name"], job["state"], job["counts"]["total"]) for job in jobs] == [("фото", "done", N_FILES + 1)]
    again = tmp_path / "again.csv"
    exported = pawsort(installation, "export", jobs[0]["id"], "-o", again)
    assert exported.returncode == 0, exported.stderr
    assert again.read_bytes() == out.read_bytes()
    assert "фото" in pawsort(installation, "jobs").stdout

    installation.wait_for_workers(1)
    health = pawsort(installation, "doctor", "--orphan-age", 0)
    assert health.returncode == 0, health.stdout
    assert "1 for inference" in health.stdout


def test_up_prints_a_link_that_logs_in_and_keeps_secrets_to_its_owner(installation: Installation) -> None:
    installation.start()
    link = re.search(r"http://\S+/login\?token=\S+", printed(installation))
    assert link
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        assert browser.get(link[0]).status_code == 200
        assert browser.get(installation.record.address).status_code == 200
    for name in ("instance.json", "secret_key"):
        assert stat.S_IMODE((installation.data_dir / name).stat().st_mode) == 0o600
    token = pawsort(installation, "token", "create", "--name", "test").stdout.strip()
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as script:
        assert script.get(f"{installation.record.address}/api/v1/jobs").status_code == 200
    assert installation.record.token not in all_logs(installation)
    installation.stop()
    assert not (installation.data_dir / "instance.json").exists()


def test_doctor_finds_an_orphan_and_says_what_to_do(installation: Installation) -> None:
    assert pawsort(installation, "migrate").returncode == 0
    healthy = pawsort(installation, "doctor", "--orphan-age", 0)
    assert healthy.returncode == 0, healthy.stdout
    orphan = installation.data_dir / "blobs" / "uploads" / "lost" / "00000000-aa.tar"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"x")
    with_orphan = pawsort(installation, "doctor", "--orphan-age", 0)
    assert with_orphan.returncode == 1
    assert "uploads/lost/00000000-aa.tar" in with_orphan.stdout


def test_a_port_in_use_is_a_sentence_when_it_was_asked_for(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = pawsort(installation, "up", "--port", port, seconds=30)
    assert refused.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_wrong_setting_is_a_sentence_that_names_it(installation: Installation) -> None:
    installation.environment["PAWSORT_THRESHOLD"] = "high"
    refused = pawsort(installation, "up", seconds=30)
    assert refused.returncode == 1
    assert "PAWSORT_THRESHOLD" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_does_not_answer_is_a_sentence(installation: Installation) -> None:
    installation.environment["PAWSORT_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    refused = pawsort(installation, "up", "--port", 0, seconds=60)
    assert refused.returncode == 1
    assert "PAWSORT_DATABASE_URL" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_web_server_that_cannot_be_started_ends_it_with_its_last_words(installation: Installation) -> None:
    installation.environment["GUNICORN_CMD_ARGS"] = "--no-such-option"
    refused = pawsort(installation, "up", "--port", 0, seconds=60)
    assert refused.returncode == 1
    assert "The web server cannot be started" in refused.stderr
    assert "--no-such-option" in refused.stderr
    assert "web ended (exit code 2); restarting it in 2 s." in refused.stdout


def test_callers_wait_in_line_while_the_web_server_is_started_again(installation: Installation) -> None:
    installation.start()
    (web,) = installation.find("gunicorn")
    kill(web)
    said = "web ended (killed by SIGKILL); restarting it"
    wait_until(lambda: said in printed(installation), 10, said)
    with httpx.Client(timeout=30, trust_env=False) as client:
        assert client.get(f"{installation.record.address}/healthz").status_code == 200


def test_an_instance_started_for_a_command_ends_when_the_command_is_killed(
    installation: Installation, photos: Path
) -> None:
    command = start_pawsort(installation, "classify", photos)
    record = installation.data_dir / "instance.json"
    wait_until(record.exists, 60, "the instance to be ready")
    below = [one.pid for one in living_below(command.pid)]
    assert len(below) >= 4
    command.kill()
    command.communicate()
    wait_until(lambda: not any(is_alive(pid) for pid in below), 20, "everything to end")
    assert not record.exists()


def test_an_instance_started_for_a_command_has_the_settings_that_the_command_wants(tmp_path: Path) -> None:
    with started_instance(tmp_path / "data", web_threads=3) as record:
        assert any("--threads 3 " in one.command for one in living_below(record.pid))


def test_a_killed_instance_leaves_nothing_among_temporary_files(installation: Installation, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    installation.environment["TMPDIR"] = str(temporary)
    installation.start()
    installation.wait_for_workers(1)
    kept = installation.data_dir / "tmp"
    assert kept.exists()
    installation.kill()
    wait_until(lambda: not any(temporary.iterdir()) and not kept.exists(), 20, "everything to be removed")


def test_ctrl_c_ends_a_command_and_its_instance_and_says_what_is_kept(installation: Installation, photos: Path) -> None:
    installation.environment["PAWSORT_PAUSE_AFTER_CLAIM_S"] = "60"
    command = start_pawsort(installation, "classify", photos)
    wait_until(lambda: arrived(installation) == N_FILES + 1, 60, "all files to arrive")
    below = [one.pid for one in living_below(command.pid)]
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=30 * overload())
    assert command.returncode == 130
    assert "Uploaded files are kept in job" in said
    wait_until(lambda: not any(is_alive(pid) for pid in below), 5, "everything to end")


@pytest.mark.timed
def test_a_killed_instance_is_started_again_without_waiting_long(installation: Installation) -> None:
    installation.start()
    children = installation.kill()
    started = time.monotonic()
    installation.start()
    assert time.monotonic() - started < 12
    assert not any(is_alive(pid) for pid in children)
