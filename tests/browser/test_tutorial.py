"""docs/tutorial.md, word for word: its shell is run, and what it prints in bold is clicked."""

import csv
import os
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from core.operations.instance_record import InstanceRecord
from tests.support.browser.login import log_in
from tests.support.deadlines import within
from tests.support.documentation.tutorial import START, FirstTerminal, Step, click, read_steps, run
from tests.support.paths import ROOT

N_DRAWINGS = 12
GOAL_S = 600.0
FIRST = "Start Pawsort"


def test_the_tutorial_has_something_to_run_and_to_click() -> None:
    steps = read_steps()
    assert next(step.text for step in steps if step.is_shell) == START
    assert sum(step.is_shell for step in steps) >= 3
    assert sum(not step.is_shell for step in steps) >= 5


def test_the_tutorial_works_on_a_running_instance(browser: Browser, instance: InstanceRecord, tmp_path: Path) -> None:
    """All but its first section, which installs and starts Pawsort."""
    for name in (".venv", "web"):
        (tmp_path / name).symlink_to(ROOT / name)
    server = {"PAWSORT_SERVER": instance.address, "PAWSORT_TOKEN": instance.token}
    steps = [step for step in read_steps() if step.section != FIRST]
    page = browser.new_context().new_page()
    log_in(page, instance.address, instance.token)
    follow(steps, page, tmp_path, dict(os.environ) | server)
    check_table(tmp_path / "labels.csv")


@pytest.mark.slow
def test_the_tutorial_works_word_for_word_on_a_fresh_machine(browser: Browser, tmp_path: Path) -> None:
    """A new clone with a new environment and a new home: nothing of this machine but Python, make and a browser."""
    begun = time.monotonic()
    clone, home = tmp_path / "pawsort", tmp_path / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "PIP_CACHE_DIR") if name in os.environ}
    environment = kept | {"HOME": str(home), "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", _pip_settings())}
    page = browser.new_context().new_page()
    with FirstTerminal(clone, environment) as terminal:
        steps = read_steps(clone / "docs" / "tutorial.md")
        page.goto(terminal.wait_for_link())
        started_s = time.monotonic() - begun
        print(f"\nthe link came after {started_s:.0f} s")
        follow([step for step in steps if step.text != START], page, clone, environment)
        check_table(clone / "labels.csv")
        terminal.press_ctrl_c()
    took_s = time.monotonic() - begun
    print(f"the tutorial took {took_s:.0f} s")
    assert (home / ".local" / "share" / "pawsort" / "pawsort.db").exists()
    assert took_s < within(GOAL_S)


def follow(steps: list[Step], page: Page, folder: Path, environment: dict[str, str]) -> None:
    """Do what the steps say."""
    for step in steps:
        if step.is_shell:
            run(step.text, folder, environment)
        else:
            click(page, step.text)


def check_table(file: Path) -> None:
    """One line for each drawing, each with a label."""
    with file.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == N_DRAWINGS
    assert all(row["label"] for row in rows)


def _pip_settings() -> str:
    """This machine's own, which may name the index that it reaches."""
    user = Path.home() / ".config" / "pip" / "pip.conf"
    return str(user if user.exists() else "/etc/pip.conf")
