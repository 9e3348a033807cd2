"""`pawsort alive web` asks the instance that runs on the data directory, wherever it listens."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.operations.instance_record import InstanceRecord
from pawsort.cli import cli
from tests.support.tiny_server import Answer, tiny_server


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PAWSORT_PORT", "9")


def run(part: str) -> Result:
    return CliRunner().invoke(cli, ["alive", part])


def test_a_web_server_on_another_port_is_found_by_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tiny_server(Answer()) as (address, _):
        InstanceRecord(address, "token", 1, "", "", "").write(tmp_path)
        monkeypatch.setattr("instance.supervisor.attach.is_running", lambda _: True)
        assert run("web").exit_code == 0


def test_without_an_instance_the_set_port_is_asked_and_named(tmp_path: Path) -> None:
    InstanceRecord("http://127.0.0.1:7", "token", 1, "", "", "").write(tmp_path)  # of one that was killed
    said = run("web")
    assert said.exit_code == 1
    assert "nothing answers at 127.0.0.1, port 9" in said.stderr


def test_a_worker_without_heartbeat_is_named_with_its_data_directory(tmp_path: Path) -> None:
    said = run("inference")
    assert said.exit_code == 1
    assert f"it has no heartbeat in the data directory {tmp_path}" in said.stderr
