"""An engine, its images, and one installation that the tests share; each leaves it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import images
from tests.containers.engine import Engine, started
from tests.containers.project import Project
from tests.containers.work import N_PICTURES, Job, draw_pictures
from tests.support import compose

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A container engine with all images."""
    compose.tool("docker-compose")
    with started() as one:
        yield one


@pytest.fixture(scope="session")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine, with all images that the compose file names."""
    services = compose.read(compose.make_env(tmp_path_factory.mktemp("env") / ".env"))["services"]
    images.build(engine, sorted({one["image"] for one in services.values() if "build" not in one}))
    return engine


@pytest.fixture(scope="session")
def project(built: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One installation, up and healthy."""
    one = Project(built, tmp_path_factory.mktemp("project"))
    one.remove()  # what an interrupted run left
    try:
        one.seconds_to_healthy = one.start()
        yield one
    finally:
        one.remove()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a thousand pictures."""
    return draw_pictures(tmp_path_factory.mktemp("many") / "pictures", N_PICTURES)


@pytest.fixture(scope="module")
def undisturbed(project: Project, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of the results without any fault."""
    with Job(project, pictures, tmp_path_factory.mktemp("undisturbed") / "out.csv") as job:
        return job.lines()
