"""What the tests of the worker share."""

import pytest

from core.base.config import Settings
from core.base.database import Database
from core.models import registry
from tests.support.factories import make_manifest
from tests.support.fakes import FakeRuntime


@pytest.fixture
def runtime(settings: Settings, db: Database) -> FakeRuntime:
    """A worker's runtime over a fresh database with a version in use."""
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    return FakeRuntime(settings, db)
