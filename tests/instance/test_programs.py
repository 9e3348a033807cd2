"""The environment of the programs of an instance."""

import pytest
from pydantic import SecretStr

from core.base.config import Settings
from instance.base import programs

KEY = "k" * 32


def test_the_web_server_alone_gets_the_key_that_signs_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_SECRET_KEY", KEY)
    settings = Settings(secret_key=SecretStr(KEY))  # type: ignore[call-arg]
    shared = programs.child_environment(settings)
    assert KEY not in shared.values()
    assert programs.web(settings).env["PAWSORT_SECRET_KEY"] == KEY
    assert all(KEY not in programs.worker(queue, settings).env.values() for queue in programs.QUEUES)
