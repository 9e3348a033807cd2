"""Replace the called command by the web server or a worker, after checking settings and servers."""

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NoReturn

from instance.base.core_errors import translate_core_errors
from instance.base.data_dir import prepare_data_dir
from instance.base.programs import Program, child_environment
from instance.services.preflight import SERVERS, check_servers
from instance.services.service_messages import errors_as_log_messages, log_message

if TYPE_CHECKING:
    from core.base.config import Settings


def exec_service(program: Callable[["Settings"], Program], servers: Collection[str] = SERVERS) -> NoReturn:
    """Check settings and servers, then exec the program, so that it gets signals directly.

    Args:
        servers: Those that the program needs.
    Raises:
        ClientError: A setting is wrong, or a server does not answer.
    """
    with errors_as_log_messages(), translate_core_errors():
        from core.base.config import load_settings

        settings = load_settings()
        service = program(settings)
        prepare_data_dir(settings.data_dir)
        check_servers(settings, lambda sentence: log_message("server_away", sentence, "warning"), servers)
    os.chdir(settings.data_dir)  # the current folder may contain a folder `web` or `core`, or another .env
    os.execve(service.command[0], service.command, {**child_environment(settings), **service.env})  # noqa: S606
