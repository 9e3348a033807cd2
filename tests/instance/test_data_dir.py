"""Who can enter the data directory."""

from pathlib import Path

import pytest

from instance.base.data_dir import describe_access, prepare_data_dir


def test_a_new_data_directory_is_closed_to_others(tmp_path: Path) -> None:
    prepare_data_dir(tmp_path / "new")
    assert describe_access(tmp_path / "new") is None


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701])
def test_an_existing_one_that_others_can_enter_is_reported_with_what_to_do(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    warning = describe_access(tmp_path)
    assert warning is not None
    assert f"(mode {mode:o})" in warning
    assert f"chmod 700 {tmp_path}" in warning
