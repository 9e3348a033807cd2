"""What the README promises is there: its commands, its settings, its files."""

import re
from pathlib import Path

from core.base.config import Settings
from pawsort.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# For tests, and for processes to tell each other; nobody sets them by hand.
INTERNAL = {"queues", "decoder", "pause_after_claim_s"}


def test_every_command_is_in_the_readme_and_no_other() -> None:
    assert set(re.findall(r"^\| `pawsort (\w+)", README, re.MULTILINE)) == set(COMMANDS)


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    named = {
        name.lower()
        for name in re.findall(r"PAWSORT_([A-Z_]+)", README.partition("## Settings")[2].partition("## ")[0])
    }
    assert named == Settings.model_fields.keys() - INTERNAL


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets


def test_every_file_that_the_readme_points_to_exists() -> None:
    pointed_to = re.findall(r"\]\(([\w/-]+\.(?:md|png))\)", README)
    assert len(pointed_to) >= 4
    for file in pointed_to:
        assert (ROOT / file).is_file(), file


def test_requirement_files_carry_no_address() -> None:
    files = list((ROOT / "requirements").glob("*.txt"))
    assert {file.stem for file in files} == {"gpu", "run", "test", "web", "worker"}
    for file in files:
        assert "://" not in file.read_text(encoding="utf-8")
        assert "tensorflow" not in file.read_text(encoding="utf-8") or file.name != "web.txt"


def test_a_run_and_its_tests_use_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        return {line for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert pins("web.txt") <= pins("run.txt") <= pins("test.txt")
