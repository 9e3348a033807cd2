"""Which server a command talks to: an option that is given but empty is a mistake, and no other server is used."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from pawsort import connect
from pawsort.cli import cli


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
