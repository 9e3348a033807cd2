"""Settings: read in one place, wrong ones named in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.config import load_settings
from core.base.errors import ConfigError
from instance.base.programs import child_environment
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAWSORT_PORT", "eighty"),
        ("PAWSORT_PORT", "70000"),
        ("PAWSORT_THRESHOLD", "1.5"),
        ("PAWSORT_INFERENCE_PROCESSES", "0"),
        ("PAWSORT_MAX_IMAGE_PIXELS", "999999999999"),
    ],
)
def test_a_wrong_value_stops_with_a_sentence_that_names_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name}: .*{value}.*start again"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAWSORT_OIDC_ISSUER", "http://id.example.org"),
        ("PAWSORT_OIDC_ISSUER", "https://id.example.org"),  # of which no client is known
        ("PAWSORT_OIDC_SCOPES", "profile"),
        ("PAWSORT_OIDC_ROLES", "king=staff"),
        ("PAWSORT_OIDC_ROLES", "admin"),
        ("PAWSORT_PUBLIC_URL", "pawsort.example.org"),
    ],
)
def test_half_a_login_provider_stops_with_a_sentence(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(
        ConfigError, match=r"^PAWSORT_(OIDC|PUBLIC_URL).*: (expected|Value error, expected).*start again"
    ):
        load_settings()


def test_roles_of_groups_are_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_OIDC_ROLES", "admin=the operators, viewer = *")
    assert load_settings().oidc_role_groups == [("admin", "the operators"), ("viewer", "*")]


def test_a_lease_below_three_heartbeats_is_refused_by_a_sentence_that_names_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAWSORT_HEARTBEAT_S", "20")
    with pytest.raises(ConfigError, match=r"^PAWSORT_LEASE_S: .*3 times PAWSORT_HEARTBEAT_S .*got 15\. Set it to 60"):
        load_settings()
    monkeypatch.setenv("PAWSORT_LEASE_S", "60")
    assert load_settings().alive_s == 60


def test_a_search_for_lost_work_that_comes_later_than_a_lease_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_RECONCILE_S", "16")
    with pytest.raises(ConfigError, match=r"^PAWSORT_RECONCILE_S: expected at most PAWSORT_LEASE_S \(15 s\).* got 16"):
        load_settings()


def test_a_value_may_be_in_a_file_and_the_variable_itself_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("postgresql://pawsort:secret@db/pawsort\n")
    monkeypatch.setenv("PAWSORT_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("PAWSORT_DATABASE_URL", "")
    assert load_settings().sql_url == "postgresql://pawsort:secret@db/pawsort"
    assert child_environment(load_settings())["PAWSORT_DATABASE_URL"] == ""  # the child reads the file itself
    monkeypatch.setenv("PAWSORT_DATABASE_URL", "postgresql://other/pawsort")
    assert load_settings().sql_url == "postgresql://other/pawsort"


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), ("\n", "is empty")], ids=["none", "empty"])
def test_a_file_without_a_value_stops_with_a_sentence(
    content: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    monkeypatch.setenv("PAWSORT_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(ConfigError, match=rf"^PAWSORT_SECRET_KEY_FILE: .*key {words}"):
        load_settings()


def test_the_secret_key_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_SECRET_KEY", "hunter2 hunter2 hunter2")
    assert "hunter2" not in repr(load_settings())


def test_the_environment_wins_over_the_files_and_the_data_folder_over_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".env").write_text("PAWSORT_PORT=1001\nPAWSORT_HOST=0.0.0.0\nPAWSORT_THRESHOLD=0.5\n")
    (tmp_path / "data" / ".env").write_text("PAWSORT_PORT=1002\nPAWSORT_HOST=::1\n")
    monkeypatch.setenv("PAWSORT_PORT", "1003")
    settings = load_settings()
    assert (settings.port, settings.host, settings.threshold) == (1003, "::1", 0.5)


def test_everything_lives_in_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.sql_url == f"sqlite:///{tmp_path}/data/pawsort.db"
    assert settings.store_url == f"file://{tmp_path}/data/blobs"


def test_a_default_network_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PAWSORT_DEFAULT_NETWORK", "resnet")
    with pytest.raises(ConfigError, match=r"PAWSORT_DEFAULT_NETWORK.*expected one of .*seed-cnn.*got 'resnet'"):
        load_settings()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_must_not_be_looked_into_holds_no_settings(tmp_path: Path) -> None:
    """As in `docker compose run --user`: the current folder is somebody else's."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    code = "import os, core.base.config as c; os.setuid(12345); print(c.load_settings(data_dir='/').port)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=closed, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert run.stdout == "8000\n", run.stderr
