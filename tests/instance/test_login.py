"""`pawsort login`, and when `pawsort up` shows a link."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from core.accounts import accounts, login_codes
from core.base.config import load_settings
from core.base.database import Database
from core.orm.accounts import LoginCode
from instance.supervisor.supervisor import Options, Supervisor, ready_sentence
from pawsort.cli import cli

PAGE = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_link_is_for_the_person_who_is_named_and_for_the_address_that_is_given() -> None:
    assert CliRunner().invoke(cli, ["token", "create", "--user", "ada"]).exit_code == 0
    for words, whose in (([], accounts.OWNER), (["--user", "ada"], "ada")):
        link = CliRunner().invoke(cli, ["login", "--address", "https://paw.example/", *words]).stdout.strip()
        page, _, code = link.partition("?code=")
        assert page == "https://paw.example/login"
        db = Database(load_settings().sql_url)
        with db.read() as session:
            user = login_codes.find_user_by_code(session, code)
        db.close()
        assert user is not None
        assert user.name == whose


def test_nobody_is_added_by_a_link() -> None:
    result = CliRunner().invoke(cli, ["login", "--user", "eve"])
    assert result.exit_code != 0
    assert "eve" in result.stderr
    db = Database(load_settings().sql_url)
    with db.read() as session:
        assert session.scalars(select(LoginCode)).all() == []
    db.close()


def test_without_an_instance_here_the_link_lacks_its_address_and_a_note_says_so() -> None:
    result = CliRunner().invoke(cli, ["login"])
    assert result.stdout.startswith("/login?code=")
    assert "address of your server" in result.stderr


@pytest.mark.parametrize("is_terminal", [True, False])
def test_up_shows_a_link_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    started: list[Options] = []
    monkeypatch.setattr(Supervisor, "__init__", lambda self, settings, options, notify: started.append(options))
    monkeypatch.setattr(Supervisor, "run", lambda self: None)
    monkeypatch.setattr("instance.commands.up.is_on_terminal", lambda: is_terminal)
    for words, is_shown in (([], is_terminal), (["--until-stdin-closes"], False)):
        started.clear()
        CliRunner().invoke(cli, ["up", *words], catch_exceptions=False)
        assert [options.is_on_terminal for options in started] == [is_shown]


def test_the_link_is_printed_with_its_code_or_not_at_all() -> None:
    assert f"{PAGE}/login?code=abc\n" in ready_sentence(PAGE, "abc", "pawsort login")
    assert "/login?" not in ready_sentence(PAGE, None, "pawsort login")
    assert "`pawsort login`" in ready_sentence(PAGE, None, "pawsort login")


def test_the_command_that_up_names_logs_in_to_its_own_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Options] = []
    monkeypatch.setattr(Supervisor, "__init__", lambda self, settings, options, notify: started.append(options))
    monkeypatch.setattr(Supervisor, "run", lambda self: None)
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    CliRunner().invoke(cli, ["up", "--data", str(elsewhere)], catch_exceptions=False)
    result = CliRunner().invoke(cli, shlex.split(started[0].login_command)[1:], catch_exceptions=False)
    code = result.stdout.strip().partition("?code=")[2]
    db = Database(load_settings(data_dir=elsewhere).sql_url)
    with db.read() as session:
        assert login_codes.find_user_by_code(session, code) is not None
    db.close()
