"""`pawsort up` on a full disk ends with a sentence; in a folder whose name is no UTF-8 it works like in any other."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.base.config import Settings
from instance.supervisor import supervisor
from instance.supervisor.supervisor import Options, Supervisor
from pawsort.api.errors import ClientError
from tests.support.deadlines import within
from tests.support.installation import QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.small_disk import fill, small_disk


def test_a_full_disk_at_the_start_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(supervisor, "prepare_data_dir", fail)
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    with pytest.raises(ClientError, match=r"The disk of .* is full\. Free disk space, and start again\."):
        Supervisor(settings, Options(), print).run()


@pytest.mark.slow
def test_up_on_a_disk_that_is_really_full_ends_with_a_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="1m") as disk:
        fill(disk)
        command = [sys.executable, "-m", "pawsort.cli", "up", "--port", "0"]
        environment = {**os.environ, "PAWSORT_DATA_DIR": str(disk / "data")}
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=within(START_S), check=False
        )
    assert ended.returncode == 1
    assert "full. Free disk space" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_data_folder_whose_name_is_no_utf_8_holds_a_whole_installation(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    with Installation.running(folder, **QUICK) as one:
        job = one.classify(one.send(make_shards(1, 4)))
        assert one.wait_for_job(job, START_S) == "done"
