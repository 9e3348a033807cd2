"""Redocly and Spectral find nothing in the description of the API."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.api_document import make_document
from tests.support.api_tools import HERE, npm_tools

pytestmark = pytest.mark.slow


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(make_document()), encoding="utf-8")
    return path


def test_redocly_finds_nothing(description: Path) -> None:
    command = (npm_tools() / "node_modules/.bin/redocly", "lint", description, "--format", "json")
    done = subprocess.run((*command, "--config", HERE / "redocly.yaml"), capture_output=True, text=True)
    assert json.loads(done.stdout)["problems"] == []


def test_spectral_finds_nothing(description: Path) -> None:
    command = (npm_tools() / "node_modules/.bin/spectral", "lint", description, "--format", "json", "--quiet")
    done = subprocess.run((*command, "--ruleset", HERE / "spectral.yaml"), capture_output=True, text=True)
    assert json.loads(done.stdout or "[]") == []
