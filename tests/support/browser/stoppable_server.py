"""The web server as a process of its own, to be killed and started again on the same port."""

import os
import signal
import subprocess
from typing import Self

import httpx2

from core.base.config import Settings
from instance.base import programs
from tests.support.deadlines import within
from tests.support.ports import free_port
from tests.support.waiting import until

START_S = 60.0


class StoppableServer:
    """gunicorn as `pawsort up` runs it; without workers that sort."""

    def __init__(self, settings: Settings) -> None:
        port = free_port()
        self.settings = settings.model_copy(update={"port": port})
        self.address = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = programs.web(self.settings)
        self._process = subprocess.Popen(
            program.command,
            env={**programs.child_environment(self.settings), **program.env},
            cwd=self.settings.data_dir,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self._answers, START_S, "an answer of the web server")

    def _answers(self) -> bool:
        try:
            httpx2.get(f"{self.address}/healthz", trust_env=False, timeout=within(5))
        except httpx2.TransportError:
            return False
        return True

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does, with all its processes."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
