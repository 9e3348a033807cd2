"""Whole days use what the tests of web and worker have."""

from tests.core.conftest import version as version
from tests.web.conftest import served as served
from tests.worker.conftest import runtime as runtime
