"""What a documented command promises: that its parts exist. One function for each program."""

import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import click
import yaml
from werkzeug.routing import MapAdapter

from core.base.config import Settings
from pawsort.cli import cli
from tests.support.documentation.shell import Command
from tests.support.paths import ROOT

# Programs of others: what the documents do with them has nothing of ours in it.
OTHERS = {
    "alembic": "its own program",
    "celery": "its own program; tests/worker/test_app.py runs what the documents show",
    "docker": "build, save, load and push: the images are checked at `docker compose`",
    "echo": "writes a line into a file",
    "find": "lists files",
    "git": "gets the sources",
    "head": "shows the first lines of a file",
    "id": "the number of the user",
    "jq": "selects parts of JSON",
    "kubectl": "a cluster of yours; tests/deploy/test_chart.py checks the names in its Secret",
    "openapi-python-client": "generates a client; tests/integration/test_generated_clients.py runs it",
    "npx": "generates a client; tests/integration/test_generated_clients.py runs it",
    "openssl": "makes random numbers",
    "rm": "removes a file",
    "sort": "sorts lines",
    "tar": "packs a folder",
    "uuidgen": "makes an id",
}
# Words that stand for what a reader has.
EXAMPLES = {"JOB": str(UUID(int=1)), "BATCH": str(UUID(int=2)), "V": "3", "ID": "1", "NUMBER": "1"}
CLIENT_VARIABLES = {"PAWSORT_SERVER", "PAWSORT_TOKEN"}
PLACEHOLDERS = {"PAWSORT_NAME"}
WITH_VALUE = {"-f", "--file", "--profile", "--user", "--volume", "--workdir", "--pull", "-o", "--env", "--index"}
COMPOSE = ("up", "run", "exec", "build", "pull", "config", "down", "logs", "ps")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def check(command: Command, routes: MapAdapter) -> str:
    """Check a command; returns the name of its program, or "" for variables alone.

    Raises:
        AssertionError: Something that it names does not exist, or nothing here knows its program.
    """
    for name, _ in command.variables:
        check_variable(name)
    if not command.words:
        return ""
    program, *words = command.words
    program = program.removeprefix(".venv/bin/").removeprefix("./")
    if program == "docker" and words[:1] == ["compose"]:
        check_compose(words[1:])
        return "docker compose"
    if program == "curl":
        check_curl(words, routes)
    elif program in CHECKS:
        CHECKS[program](words)
    else:
        assert program in OTHERS, f"{program}: expected a program that tests/support/documentation/checks.py knows"
    if program == "kubectl" and "--" in words:
        check(Command(tuple(words[words.index("--") + 1 :])), routes)
    return program


def check_variable(name: str) -> None:
    """A variable of Pawsort is a setting, or is read by the client."""
    if name.startswith("PAWSORT_") and name not in CLIENT_VARIABLES | PLACEHOLDERS:
        field = name.removeprefix("PAWSORT_").removesuffix("_FILE").lower()
        assert field in Settings.model_fields, f"{name} is no setting"


def check_pawsort(words: Sequence[str]) -> None:
    """The line is one that click accepts; files need not exist."""
    args = [EXAMPLES.get(word, word) for word in words]
    command: click.Command = cli
    context = click.Context(cli, info_name="pawsort")
    while isinstance(command, click.Group):
        assert args, f"{context.command_path} needs a command"
        name, found, args = command.resolve_command(context, args)
        assert found is not None, name
        command = found
        context = command.make_context(name, list(args), parent=context)
        args = [*context._protected_args, *context.args]
        if not args:
            return


def check_pawsort_words(words: Sequence[str]) -> None:
    """Inline code may leave things out: the commands exist, and each option belongs to one of them."""
    command: click.Command = cli
    context = click.Context(cli, info_name="pawsort")
    options = {"--help", "--version"}
    for word in words:
        word = word.strip("[],.…")
        if isinstance(command, click.Group) and (found := command.get_command(context, word)) is not None:
            command, context = found, click.Context(found, parent=context, info_name=word)
            options |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        elif word.startswith("-") and word != "-":
            option = word.partition("=")[0]
            assert option in options, f"{context.command_path} has no option {option}"
        elif command is cli and word != "COMMAND":
            raise AssertionError(f"pawsort has no command {word}")


def check_make(words: Sequence[str]) -> None:
    """Targets exist, and their recipes read the variables."""
    targets = [word for word in words if "=" not in word]
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE), f"make has no target {target}"
    for name in (word.partition("=")[0] for word in words if "=" in word):
        assert re.search(rf"\$\$?[({{]?{name}\b", MAKEFILE), f"the Makefile does not read {name}"


def check_compose(words: Sequence[str]) -> None:
    """Files, profiles and services exist; what runs inside a service is checked, too."""
    files = [ROOT / value for option, value in _options(words) if option in ("-f", "--file")]
    services = _services(files or [ROOT / "docker-compose.yml"])
    action, rest = next((word, list(words[n + 1 :])) for n, word in enumerate(words) if word in COMPOSE)
    for option, value in _options(words):
        if option == "--scale":
            assert value.partition("=")[0] in services, value
        if option == "--profile":
            assert any(value in (one or {}).get("profiles", ()) for one in services.values()), value
    named = list(_positional(rest))
    if action in ("run", "exec"):
        assert named[0] in services, named[0]
        inside = rest[rest.index(named[0]) + 1 :]
        if inside[:1] == ["pawsort"]:
            check_pawsort(inside[1:])
    else:
        assert set(named) <= services.keys(), set(named) - services.keys()


def check_curl(words: Sequence[str], routes: MapAdapter) -> None:
    """The address is one of the API, for this method."""
    address = next(word for word in words if word.startswith("http"))
    path = re.sub(r"\$\w+|\{\w+\}", EXAMPLES["JOB"], urlsplit(address).path)
    options = " ".join(words)
    sent = "PUT" if re.search(r"(^| )-\w*T", options) else "POST" if re.search(r"(^| )(-F|-d|--data)", options) else ""
    named = re.search(r"(?:-X|--request) (\w+)", options)
    routes.match(path, method=named[1] if named else sent or "GET")


def check_helm(words: Sequence[str]) -> None:
    """The chart and every value that is set exist."""
    chart = next(ROOT / word for word in words if word.startswith("deploy/"))
    values: Any = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    for option, value in _options(words):
        if option == "--set":
            found = values
            for key in value.partition("=")[0].split("."):
                assert key in found, f"{chart.name} has no value {value}"
                found = found[key]


def check_python(words: Sequence[str]) -> None:
    """`python -m module`: the module exists, and so do the files that it is given."""
    assert words[0] == "-m", f"expected python -m, got {words[0]}"
    assert importlib.util.find_spec(words[1]) is not None, words[1]
    if words[1] == "pawsort":
        check_pawsort(words[2:])
    files = [word for word in words[2:] if word.startswith(("tests/", "requirements/"))]
    assert [file for file in files if not (ROOT / file).exists()] == []


def check_pip(words: Sequence[str]) -> None:
    """An extra that is named exists."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in (name for word in words for name in re.findall(r"pawsort(?:-server)?\[(\w+)\]", word)):
        assert re.search(rf"^{extra} = \[", text, re.MULTILINE), extra


def _positional(words: Sequence[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word in WITH_VALUE or word == "--scale":
            next(rest)
        elif not word.startswith("-"):
            yield word


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for option, value in pairwise(words):
        if option.startswith("-"):
            yield option, value


def _services(files: Sequence[Path]) -> dict[str, Any]:
    services: dict[str, Any] = {}
    for file in files:
        services |= yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    return services


CHECKS: dict[str, Callable[[Sequence[str]], None]] = {
    "helm": check_helm,
    "make": check_make,
    "pawsort": check_pawsort,
    "pip": check_pip,
    "python": check_python,
}
