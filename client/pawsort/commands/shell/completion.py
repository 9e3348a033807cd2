"""`pawsort completion`: let the Tab key complete commands, options, jobs and versions."""

import os
from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from pawsort.api.errors import ClientError
from pawsort.help import examples
from pawsort.terminal import say, show

SHELLS = ("bash", "zsh", "fish")
# Where the package bash-completion is; it reads scripts from the user's folder.
BASH_COMPLETION = tuple(f"{place}/share/bash-completion" for place in ("/usr", "/usr/local", "/opt/homebrew"))
VARIABLE = "_PAWSORT_COMPLETE"
shell_argument = click.argument("shell", type=click.Choice(SHELLS), required=False)


@click.group("completion", epilog=examples("pawsort completion install", "pawsort completion show fish"))
def command() -> None:
    """Complete commands, options, jobs and versions with the Tab key."""


@command.command("show", epilog=examples("pawsort completion show zsh", "source <(pawsort completion show bash)"))
@shell_argument
def show_script(shell: str | None) -> None:
    """Print the script that completes in bash, zsh or fish. [default: your shell]"""
    shell = shell or _own_shell()
    script = _script(shell)
    show({"shell": shell, "script": script}, script.splitlines())


@command.command("install", epilog=examples("pawsort completion install", "pawsort completion install zsh"))
@shell_argument
def install(shell: str | None) -> None:
    """Install completion for bash, zsh or fish. [default: your shell]

    Repeating it changes nothing. It shows which files it wrote; delete them to undo it.
    """
    shell = shell or _own_shell()
    file = _script_file(shell)
    changed = [file] if _write(file, _script(shell)) else []
    line, start_file = _start_line(shell, file)
    if line and _append(start_file, line):
        changed.append(start_file)
    for path in changed:
        say(f"Wrote {path}.")
    say("Open a new shell to use it." if changed else f"Completion for {shell} is installed already: {file}.")
    show({"shell": shell, "wrote": [str(path) for path in changed]})


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise ClientError(f"Your shell is {name or 'unknown'}. Name one of {', '.join(SHELLS)}.")
    return name


def _script(shell: str) -> str:
    found = get_completion_class(shell)
    assert found is not None
    return found(click.get_current_context().find_root().command, {}, "pawsort", VARIABLE).source()


def _script_file(shell: str) -> Path:
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "pawsort",
        "zsh": data / "zsh" / "site-functions" / "_pawsort",
        "fish": settings / "fish" / "completions" / "pawsort.fish",
    }[shell]


def _start_line(shell: str, script: Path) -> tuple[str, Path]:
    """The line that a shell's own start file needs, and that file. fish, and bash with its package, need none."""
    home = Path.home()
    if shell == "zsh":
        line = f"(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}; source '{script}'"
        return line, Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    if shell == "bash" and not any(map(os.path.exists, BASH_COMPLETION)):
        return f"source '{script}'", home / ".bashrc"
    return "", home


def _write(file: Path, text: str) -> bool:
    """Write a file unless it says that already. Return whether it was written."""
    if file.is_file() and file.read_text("utf-8") == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return True


def _append(file: Path, line: str) -> bool:
    """Append a line unless the file has it. Return whether it was appended."""
    lines: Sequence[str] = file.read_text("utf-8").splitlines() if file.is_file() else ()
    if line in lines:
        return False
    with file.open("a", encoding="utf-8") as start_file:
        start_file.write(f"\n# Completion of pawsort\n{line}\n")
    return True
