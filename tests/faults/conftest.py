"""One installation for all tests that kill parts of it: starting TensorFlow is what takes the time."""

from collections.abc import Iterator

import pytest

from tests.support.installation import QUICK, Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running installation with short times, and a folder that schedules may read."""
    times = {"PAWSORT_DECODE_TIMEOUT_S": "8"}
    roots = {"PAWSORT_IMPORT_ROOTS": str(tmp_path_factory.mktemp("incoming"))}
    with Installation.running(tmp_path_factory.mktemp("installation"), **QUICK, **times, **roots) as one:
        yield one
