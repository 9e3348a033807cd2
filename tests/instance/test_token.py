"""`pawsort token create` on the machine that it is for."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from core.accounts import accounts
from core.accounts.audit_log import Action
from core.accounts.credentials import find_credential
from core.base.config import load_settings
from core.base.database import Database
from core.orm.accounts import Token
from core.orm.audit_log import AuditEntry
from pawsort.cli import cli


@pytest.mark.parametrize(("words", "whose"), [((), accounts.OWNER), (("--user", "ada"), "ada")], ids=["owner", "ada"])
def test_a_token_opens_the_door_for_the_person_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], whose: str
) -> None:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))
    tokens = [CliRunner().invoke(cli, ["token", "create", *words]).stdout.strip() for _ in range(2)]
    db = Database(load_settings().sql_url)
    with db.read() as session:
        found = [find_credential(session, "token", token) for token in tokens]
        names = accounts.list_names(session)
        added = session.scalars(select(AuditEntry).where(AuditEntry.action == Action.USER_CREATE)).all()
    db.close()
    assert [one.details["name"] for one in added] == ["ada"] * (whose == "ada")
    assert [one and one.user.name for one in found] == [whose, whose]
    assert set(names.values()) == {whose, accounts.OWNER}
    assert not (tmp_path / "blobs").exists(), "a token needs no networks; the web's image has none"


@pytest.mark.parametrize(
    "words", [("--user", ""), ("--user", "  "), ("--user", "ad\u200ba"), ("--name", ""), ("--name", "a\x1b[31m")]
)
def test_a_name_that_is_empty_or_cannot_be_seen_makes_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(cli, ["token", "create", *words])
    assert result.exit_code != 0
    db = Database(load_settings().sql_url)
    with db.read() as session:
        assert session.scalars(select(Token)).all() == []
        assert set(accounts.list_names(session).values()) <= {accounts.OWNER}
    db.close()


def test_tokens_are_listed_without_their_keys_and_revoked_by_their_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWSORT_DATA_DIR", str(tmp_path))

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["token", *words])
        assert result.exit_code == 0, result.output
        return result.output

    key = run("create", "--name", "camera", "--user", "ada", "--days", "7", "--scope", "see", "--scope", "send")
    run("create", "--name", "endless", "--never")
    listed = run("list")
    assert key.strip() not in listed
    (of_ada,) = [line.split() for line in listed.splitlines() if "camera" in line]
    assert of_ada[1:5] == ["ada", "camera", "see", "send"]
    (endless,) = [line.split() for line in listed.splitlines() if "endless" in line]
    assert endless[3] == "everything"
    assert endless[-1] == "never"
    assert "camera" in run("revoke", of_ada[0])
    assert "camera" not in run("list")
    assert "endless" not in run("list", "--user", "ada")
