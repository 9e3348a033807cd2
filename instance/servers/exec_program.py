"""Programs that run with servers of their own: checked, then put in the place of the command that was called."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from instance.servers.preflight import check_servers
from instance.supervisor.child import Program
from instance.supervisor.error_messages import sentences
from instance.supervisor.messages import as_service, tell
from instance.supervisor.prepare import prepare_data_dir
from instance.supervisor.programs import child_environment

if TYPE_CHECKING:
    from core.base.config import Settings


def become(program: Callable[["Settings"], Program]) -> NoReturn:
    """Check settings and servers, then become this program: signals reach it without anybody in between.

    Raises:
        ClientError: A setting is wrong, or a server does not answer.
    """
    with as_service(), sentences():
        from core.base.config import load_settings

        settings = load_settings()
        wanted = program(settings)
        prepare_data_dir(settings.data_dir)
        check_servers(settings, lambda sentence: tell("server_away", sentence, "warning"))
    os.chdir(settings.data_dir)  # not where a folder `web` or `core`, or another .env, may lie
    os.execve(wanted.command[0], wanted.command, {**child_environment(settings), **wanted.env})  # noqa: S606
