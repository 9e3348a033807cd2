"""Which server a command talks to: an option that is given but empty is a mistake, and no other server is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from click.testing import CliRunner

from pawsort import connect
from pawsort.api.decoding import decode
from pawsort.api.transport import Transport
from pawsort.cli import cli
from pawsort.schemas import Job

JOB = decode(Job, {"id": "j", "name": "n", "state": "done", "counts": {"n_images": 0, "failed": 0, "by_label": {}}})


@contextmanager
def _no_instance(**settings: object) -> Iterator[None]:
    pytest.fail("the instance on this machine was used")
    yield


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("--server", ""), "--server"),
        (("--server", "http://127.0.0.1:9", "--token", ""), "--token"),
        (("--server", "http://127.0.0.1:9", "--token", "a\nb"), "--token"),
    ],
)
def test_an_empty_option_is_refused_and_not_taken_for_one_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], option: str
) -> None:
    monkeypatch.setattr(connect, "_local_instance", _no_instance)
    result = CliRunner().invoke(cli, ["jobs", *words])
    assert result.exit_code == 1
    assert f"{option}: expected" in result.stderr


def _stderr_of(monkeypatch: pytest.MonkeyPatch, server: str, *words: str, typed: str | None = None) -> str:
    monkeypatch.setattr(connect, "_local_instance", _no_instance)
    monkeypatch.setattr(Transport, "greet", lambda _: True)
    monkeypatch.setattr(Transport, "iterate", lambda *_: iter([JOB]))
    return CliRunner().invoke(cli, ["jobs", "--server", server, *words], input=typed).stderr


def test_a_token_in_the_command_is_warned_of_but_not_one_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    here = "http://127.0.0.1:9"
    assert "list of processes" in _stderr_of(monkeypatch, here, "--token", "abc")
    assert "list of processes" not in _stderr_of(monkeypatch, here, "--token", "-", typed="abc\n")
    monkeypatch.setenv("PAWSORT_TOKEN", "abc")
    assert _stderr_of(monkeypatch, here) == ""


@pytest.mark.parametrize(
    ("server", "is_warned"),
    [
        ("http://example.org", True),
        ("https://example.org", False),
        ("http://localhost:8000", False),
        ("http://[::1]", False),
    ],
)
def test_a_token_on_its_way_through_a_network_without_tls_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, server: str, is_warned: bool
) -> None:
    monkeypatch.setenv("PAWSORT_TOKEN", "abc")
    assert ("not encrypted" in _stderr_of(monkeypatch, server)) == is_warned


def test_a_server_that_goes_away_is_said_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    notice = connect.WaitNotice()
    for _ in range(3):
        notice(connect.ClientError("http://cats.example does not answer."))
    assert capsys.readouterr().err == "http://cats.example does not answer. Retrying.\n"


def test_a_server_that_accepts_connections_only_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transport, "greet", lambda _: False)
    monkeypatch.setattr(Transport, "iterate", lambda *_: iter([JOB]))
    said = CliRunner().invoke(cli, ["jobs", "--server", "http://127.0.0.1:9"]).stderr
    assert said.startswith("http://127.0.0.1:9 accepts connections, but has not answered yet.")


def test_a_subcommand_takes_the_server_of_the_group_in_front_of_it() -> None:
    words = ["jobs", "--server", "http://127.0.0.1:9", "--token", "abc", "show", str(UUID(int=1))]
    said = CliRunner().invoke(cli, words)
    assert "Nothing answers at http://127.0.0.1:9" in said.stderr
    assert "list of processes" in said.stderr
