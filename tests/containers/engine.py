"""A container engine for the tests alone: installed and started if it can be, stopped at the end."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

HERE = Path(__file__).parent
# Images are built once and kept here. Not below a folder for temporary files: those may be in memory.
FOLDER = Path(os.environ.get("PAWSORT_TEST_ENGINE", "/var/lib/pawsort-test-engine"))
CLIENT = "/usr/bin/docker"  # of the same package as the engine; another one may ask for a newer engine


class Engine:
    """Runs `docker` with the engine of the tests."""

    environment: ClassVar[dict[str, str]] = {
        **os.environ,
        "DOCKER_HOST": f"unix://{FOLDER}/docker.sock",
        "DOCKER_BUILDKIT": "1",
    }

    def run(self, *words: str, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command of the client, and fail with what it says."""
        run: subprocess.CompletedProcess[str] = subprocess.run(
            [CLIENT, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **options,  # type: ignore[call-overload]
        )
        assert not check or run.returncode == 0, f"docker {' '.join(words)}\n{run.stdout}{run.stderr}"
        return run

    def ask(self, *words: str) -> str:
        """What a command prints."""
        return self.run(*words).stdout.strip()


@contextmanager
def started() -> Iterator[Engine]:
    """The engine, or skip with the reason."""
    run = subprocess.run(["sh", str(HERE / "engine.sh"), str(FOLDER)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip(f"no container engine: {run.stdout.strip() or run.stderr.strip()}")
    try:
        yield Engine()
    finally:
        os.kill(int((FOLDER / "dockerd.pid").read_text()), signal.SIGTERM)
