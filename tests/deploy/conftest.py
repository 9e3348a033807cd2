"""The installation that the tests of one run share: starting a dozen servers is what takes the time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import compose
from tests.support.compose_stack import Stack


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make env` writes."""
    return compose.make_env(tmp_path_factory.mktemp("env") / ".env")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The servers of docker-compose.yml; tests start what they need."""
    compose.tool("docker-compose")
    settings = {"INFERENCE_PROCESSES": "1", "DEFAULT_NETWORK": "seed-cnn", "STRICT_JSON_LOGS": "true"}
    one = Stack({f"PAWSORT_{name}": value for name, value in settings.items()})
    try:
        yield one
    finally:
        one.close()
