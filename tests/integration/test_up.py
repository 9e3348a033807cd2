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
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from core.operations.instance_record import read_record
from instance.base import programs
from pawsort.client.pawsort import Pawsort
from tests.support.deadlines import within
from tests.support.factories import draw_picture
from tests.support.installation import START_S, Installation
from tests.support.login import csrf_in
from tests.support.processes import is_alive, kill, living_below
from tests.support.waiting import until

N_FILES = 300
SETTINGS = {
    "PAWSORT_MIN_FREE_BYTES": "0",
    "PAWSORT_INFERENCE_PROCESSES": "1",
    "PAWSORT_DEFAULT_NETWORK": "seed-cnn",  # test_way.py has the one that people get by default
}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """One that nothing has been started on yet."""
    one = Installation(tmp_path / "data", **SETTINGS)
    one.data_dir.mkdir(mode=0o700)
    yield one
    one.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "фото"
    folder.mkdir()
    for number in range(N_FILES):
        (folder / f"{number:04d}.jpg").write_bytes(draw_picture(number))
    (folder / "empty.jpg").touch()
    return folder


def pawsort(installation: Installation, *words: object, seconds: float = START_S) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pawsort.cli", *map(str, words)]
    return subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=within(seconds), check=False
    )


def start_pawsort(installation: Installation, *words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pawsort.cli", *map(str, words)]
    return subprocess.Popen(
        command,
        env=installation.environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background has them ignore Ctrl-C, and so would the command.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def arrived(installation: Installation) -> int:
    """How many files the jobs of a running instance hold."""
    record = read_record(installation.data_dir)
    if record is None:
        return 0
    with Pawsort(record.address, record.token) as client:
        return sum(job.counts.n_images for job in client.jobs.list())


def printed(installation: Installation) -> str:
    return (installation.data_dir / "up.txt").read_text(encoding="utf-8")


def all_logs(installation: Installation) -> str:
    return "".join(log.read_text("utf-8", "replace") for log in (installation.data_dir / "logs").glob("*.log"))


@dataclass(frozen=True)
class Classified:
    """An installation that was started by `pawsort classify` for its time, what that said, and what it wrote."""

    installation: Installation
    said: "subprocess.CompletedProcess[str]"
    out: Path


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Iterator[Classified]:
    folder = tmp_path_factory.mktemp("up")
    (folder / "tmp").mkdir()
    one = Installation(folder / "data", **SETTINGS, TMPDIR=str(folder / "tmp"))
    one.data_dir.mkdir(mode=0o700)
    try:
        yield Classified(one, pawsort(one, "classify", photos, "-o", folder / "out.csv"), folder / "out.csv")
    finally:
        one.close()


@pytest.fixture(scope="module")
def start_s(classified: Classified) -> float:
    """How long the same installation takes to start when nothing has to end before; it stays."""
    began = time.monotonic()
    classified.installation.start()
    return time.monotonic() - began


@pytest.fixture(scope="module")
def running(classified: Classified, start_s: float) -> Installation:
    """The same installation, which stays."""
    return classified.installation


def test_classify_starts_an_instance_for_its_time(classified: Classified) -> None:
    assert classified.said.returncode == 0, classified.said.stderr
    assert re.search(rf"{N_FILES + 1:,} images in .* 1 failed", classified.said.stderr)
    rows = list(csv.DictReader(classified.out.read_text(encoding="utf-8").splitlines()))
    assert [row["path"] for row in rows] == [f"фото/{n:04d}.jpg" for n in range(N_FILES)] + ["фото/empty.jpg"]
    assert rows[-1]["error_code"] == "empty_file"
    assert not (classified.installation.data_dir / "instance.json").exists()


def test_what_it_did_is_there_afterwards(classified: Classified, running: Installation, tmp_path: Path) -> None:
    with running.client() as client:
        jobs = list(client.jobs.list())
    assert [(job.name, job.state, job.counts.n_images) for job in jobs] == [("фото", "done", N_FILES + 1)]
    again = tmp_path / "again.csv"
    exported = pawsort(running, "export", jobs[0].id, "-o", again)
    assert exported.returncode == 0, exported.stderr
    assert again.read_bytes() == classified.out.read_bytes()
    assert "фото" in pawsort(running, "jobs").stdout

    for queue in programs.QUEUES:
        running.wait_for_workers(1, queue)
    health = pawsort(running, "doctor", "--orphan-age", 0)
    assert health.returncode == 0, health.stdout
    assert "1 for inference" in health.stdout


def test_up_prints_no_secret_into_a_file_and_keeps_those_it_has_to_its_owner(running: Installation) -> None:
    assert f"{running.record.address}\nTo log in, run `pawsort login" in printed(running)
    assert "code=" not in printed(running) + all_logs(running)
    link = pawsort(running, "login").stdout.strip()
    assert link.startswith(f"{running.record.address}/login?code=")
    with httpx2.Client(follow_redirects=True, trust_env=False, timeout=within(30)) as browser:
        form = {"csrf_token": csrf_in(browser.get(link).text), "code": link.partition("=")[2]}
        assert browser.post(f"{running.record.address}/login", data=form).status_code == 200
        assert "Log out" in browser.get(running.record.address).text
    for name in ("instance.json", "secret_key"):
        assert stat.S_IMODE((running.data_dir / name).stat().st_mode) == 0o600
    token = pawsort(running, "token", "create", "--name", "test").stdout.strip()
    with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=within(30)) as script:
        assert script.get(f"{running.record.address}/api/v1/jobs").status_code == 200
    assert running.record.token not in printed(running) + all_logs(running)


def test_callers_wait_in_line_while_the_web_server_is_started_again(running: Installation) -> None:
    (web,) = running.find("gunicorn")
    kill(web)
    said = "web ended (killed by SIGKILL); restarting it"
    running.wait_for(lambda: said in printed(running), 10, said)
    with httpx2.Client(timeout=within(30), trust_env=False) as client:
        assert client.get(f"{running.record.address}/healthz").status_code == 200


@pytest.mark.slow
def test_a_killed_instance_leaves_nothing_behind_and_is_started_again_without_waiting_long(
    running: Installation, start_s: float
) -> None:
    running.wait_for_workers(1)
    temporary, kept = Path(running.environment["TMPDIR"]), running.data_dir / "tmp"
    assert any(temporary.iterdir())
    assert kept.exists()
    children = running.kill()
    began = time.monotonic()
    running.start()
    assert time.monotonic() - began < start_s + within(12)
    assert not any(is_alive(pid) for pid in children)
    running.wait_for(lambda: len(list(temporary.iterdir())) == 1, 5, "what the killed one left to go")
    running.stop()
    assert not any(temporary.iterdir())
    assert not kept.exists()


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


@pytest.mark.slow
def test_a_web_server_that_cannot_be_started_ends_it_with_its_last_words(installation: Installation) -> None:
    installation.environment["GUNICORN_CMD_ARGS"] = "--no-such-option"
    refused = pawsort(installation, "up", "--port", 0, seconds=60)
    assert refused.returncode == 1
    assert "The web server cannot be started" in refused.stderr
    assert "--no-such-option" in refused.stderr
    assert "web ended (exit code 2); restarting it in 2 s." in refused.stdout


def test_an_instance_started_for_a_command_has_the_settings_it_wants_and_ends_when_it_is_killed(
    installation: Installation, tmp_path: Path
) -> None:
    installation.environment["PAWSORT_INFERENCE_PROCESSES"] = "2"
    for number in range(40):
        path = tmp_path / "pets" / ("cats", "dogs")[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_picture(number))
    command = start_pawsort(installation, "train", tmp_path / "pets", "--network", "seed-cnn")

    def inference() -> str | None:
        found = [one.command for one in living_below(command.pid) if "inference@" in one.command]
        return found[0] if found else None

    assert " -c 1 " in until(inference, 60, "the inference worker", lambda: all_logs(installation))
    below = [one.pid for one in living_below(command.pid)]
    assert len(below) >= 4
    command.kill()
    command.communicate()
    until(lambda: not any(is_alive(pid) for pid in below), 20, "everything to end")
    assert not (installation.data_dir / "instance.json").exists()


@pytest.mark.slow
def test_ctrl_c_ends_a_command_and_its_instance_and_says_what_is_kept(installation: Installation, photos: Path) -> None:
    installation.environment["PAWSORT_PAUSE_AFTER_CLAIM_S"] = "60"
    command = start_pawsort(installation, "classify", photos)
    until(lambda: arrived(installation) == N_FILES + 1, 60, "all files to arrive", lambda: all_logs(installation))
    below = [one.pid for one in living_below(command.pid)]
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=within(30))
    assert command.returncode == 130
    assert "Uploaded files are kept in job" in said
    until(lambda: not any(is_alive(pid) for pid in below), 5, "everything to end")


def test_a_database_that_is_away_at_the_start_is_waited_for(installation: Installation) -> None:
    installation.environment["PAWSORT_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    command = [sys.executable, "-m", "pawsort.cli", "up", "--port", "0", "--data", str(installation.data_dir)]
    with subprocess.Popen(command, env=installation.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.stdout.read()  # the rest of what it says
    assert "PAWSORT_DATABASE_URL does not answer" in line
    assert line.endswith("Waiting for it.\n")
    assert process.returncode == 0
