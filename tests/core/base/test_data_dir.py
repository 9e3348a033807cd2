"""The data directory is the one of the settings, or is left to them."""

from pathlib import Path

import pytest

from core.base.config import load_settings
from core.base.data_dir import find_data_dir


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PAWSORT_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("named", [None, "~/here", "there", "/elsewhere"])
def test_it_is_the_one_of_the_settings(named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if named:
        monkeypatch.setenv("PAWSORT_DATA_DIR", named)
    assert find_data_dir() == load_settings().data_dir


@pytest.mark.parametrize("folder", [".", ".local/share/pawsort"])
def test_a_file_may_say_otherwise(home: Path, folder: str) -> None:
    (home / folder).mkdir(parents=True, exist_ok=True)
    (home / folder / ".env").write_text("PAWSORT_DATA_DIR=/other\n")
    assert find_data_dir() is None


def test_another_spelling_or_a_file_with_the_value_is_for_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("pawsort_data_dir", "/other")
    assert find_data_dir() is None
    monkeypatch.delenv("pawsort_data_dir")
    monkeypatch.setenv("PAWSORT_DATA_DIR_FILE", "/run/secrets/where")
    assert find_data_dir() is None
