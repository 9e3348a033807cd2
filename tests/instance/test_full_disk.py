"""`pawsort up` on a full disk ends with a sentence."""

import errno
from pathlib import Path

import pytest

from core.base.config import Settings
from instance.supervisor import supervisor
from instance.supervisor.supervisor import Options, Supervisor
from pawsort.api.errors import ClientError


def test_a_full_disk_at_the_start_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(supervisor, "prepare_data_dir", fail)
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    with pytest.raises(ClientError, match=r"The disk of .* is full\. Free disk space, and start again\."):
        Supervisor(settings, Options(), print).run()
