"""`pawsort user` on the machine that it is for."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.accounts import invitations
from core.accounts.rights import Role
from core.base.config import load_settings
from core.base.database import Database
from instance.commands import user
from pawsort.cli import cli


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["user", *words])


def test_it_knows_every_role() -> None:
    assert set(user.ROLES) == set(Role)


def test_a_person_gets_a_role_is_disabled_and_enabled_again() -> None:
    assert CliRunner().invoke(cli, ["token", "create", "--user", "ada"]).exit_code == 0
    assert run("role", "ada", "viewer").output == "ada is a viewer now.\n"
    assert "all tokens of ada are revoked" in run("disable", "ada").output
    rows = [line.split() for line in run("list").output.splitlines()]
    assert rows[1][:2] == ["ada", "viewer"]
    assert "disabled" in rows[1]
    assert run("enable", "ada").output.startswith("ada is enabled. Old tokens stay revoked")
    assert "ada" not in CliRunner().invoke(cli, ["token", "list"]).output
    assert "disabled" not in run("list").output


def test_the_owner_cannot_be_disabled_or_demoted() -> None:
    for words in (("disable", "owner"), ("role", "owner", "viewer")):
        refused = run(*words)
        assert refused.exit_code != 0
        assert "stays an admin" in refused.stderr


def test_a_quota_is_set_with_units_and_reset() -> None:
    assert CliRunner().invoke(cli, ["token", "create", "--user", "ada"]).exit_code == 0
    shown = run("quota", "ada", "--bytes", "20GB").output
    assert "ada uses 0 bytes (of 20,000,000,000) and 0 pictures (no limit).\n" in shown
    assert "(of 500)" in run("quota", "ada", "--images", "500").output
    assert "(no limit) and" in run("quota", "ada", "--bytes", "none").output
    assert "(of 500)" not in run("quota", "ada", "--images", "default").output
    assert "got '5 apples'" in run("quota", "ada", "--images", "5 apples").stderr


def test_links_are_printed_alone_and_open_a_way_in(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["token", "create", "--user", "ada"]).exit_code == 0
    invitation = run("invite", "eve", "--role", "viewer", "--address", "https://cats.example/").stdout
    reset = run("reset", "ada", "--address", "https://cats.example").stdout
    assert invitation.startswith("https://cats.example/invitation?code=")
    assert reset.startswith("https://cats.example/new-password?code=")
    db = Database(load_settings().sql_url)
    with db.read() as session:
        opened = invitations.find_open(session, invitation.strip().partition("=")[2])
        changed = invitations.find_open(session, reset.strip().partition("=")[2], is_reset=True)
        assert opened is not None
        assert (opened.name, opened.role) == ("eve", Role.VIEWER)
        assert changed is not None
    db.close()
    assert run("invite", "Ada").exit_code != 0, "somebody has this name"
    assert run("reset", "nobody").exit_code != 0
