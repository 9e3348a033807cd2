"""What the tests of the services share."""

import pytest

from core.base.database import Database
from core.models import registry
from tests.support.factories import make_manifest


@pytest.fixture
def version(db: Database) -> int:
    """A model version in use."""
    with db.write() as session:
        return registry.register_shipped(session, [make_manifest()])[0].id
