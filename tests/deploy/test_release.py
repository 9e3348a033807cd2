"""deploy/set-version.sh and deploy/release.sh: one version everywhere, a section of the changelog, and a release."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FILES = ("CHANGELOG.md", "client/VERSION", "deploy/helm/pawsort/Chart.yaml", "docs/kubernetes.md")
NEXT = "99.1.0"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that have the version."""
    for name in (*FILES, "deploy/set-version.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_version(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "deploy/set-version.sh", version, "2030-01-31"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_version_is_set_everywhere(checkout: Path) -> None:
    before = (checkout / "client/VERSION").read_text().strip()
    assert set_version(checkout, NEXT).returncode == 0
    for name in FILES[1:]:
        text = (checkout / name).read_text()
        assert NEXT in text, name
        assert before not in text, name


def test_what_is_unreleased_becomes_the_section_of_the_version(checkout: Path) -> None:
    before = (checkout / "CHANGELOG.md").read_text()
    assert set_version(checkout, NEXT).returncode == 0
    after = (checkout / "CHANGELOG.md").read_text()
    assert f"## [Unreleased]\n\n## [{NEXT}] - 2030-01-31\n\n###" in after
    assert after.replace(f"\n## [{NEXT}] - 2030-01-31\n", "", 1) == before


@pytest.mark.parametrize("version", ["", "1.0", "v1.0.0", "1.0.0rc1", "0.0.1"])
def test_a_version_that_is_none_or_not_the_next_is_refused_and_changes_nothing(checkout: Path, version: str) -> None:
    before = [(checkout / name).read_bytes() for name in FILES]
    refused = set_version(checkout, version)
    assert refused.returncode == 2
    assert refused.stderr.startswith("Expected ")
    assert [(checkout / name).read_bytes() for name in FILES] == before


def test_a_changelog_without_news_makes_no_release(checkout: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    text = changelog.read_text()
    changelog.write_text(re.sub(r"(## \[Unreleased\]\n)[\s\S]*?(?=## \[\d)", r"\1\n", text))
    refused = set_version(checkout, NEXT)
    assert (refused.returncode, "nothing under [Unreleased]" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_one_command_builds_a_release_from_a_clean_checkout(tmp_path: Path) -> None:
    clone = tmp_path / "pawsort"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    run = subprocess.run(["make", "release", f"VERSION={NEXT}"], cwd=clone, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    made = {path.name for path in (clone / "dist" / NEXT).iterdir()}
    assert made == {
        "SHA256SUMS",
        f"pawsort-{NEXT}-py3-none-any.whl",
        f"pawsort_server-{NEXT}-py3-none-any.whl",
        f"pawsort-chart-{NEXT}.tgz",
        f"pawsort-{NEXT}.cdx.json",
    }
    assert (clone / "docs" / "reference" / f"openapi-{NEXT}.json").exists()
    assert "Nothing is published" in run.stdout
