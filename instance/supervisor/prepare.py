"""Before every start: migrate the schema, register the included model versions, make a new token for the owner.

`pawsort up` runs this module in a process of its own and reads token and login code from its output: the supervisor
forks, and must not have the threads that the blob store or a database driver start.
"""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Self

from instance.base.core_errors import ServerAway, translate_core_errors
from instance.base.migration import migrate_installation
from pawsort.api.errors import ClientError
from pawsort.terminal import echo

AWAY = 75  # exit code while a server does not answer, as EX_TEMPFAIL of sysexits.h
TOKEN_NAME = "pawsort up"  # noqa: S105 - its name in lists
WITH_CODE = "--with-login-code"


@dataclass(frozen=True, slots=True)
class Access:
    """How the owner gets in.

    Attributes:
        token: For the commands on this machine.
        login_code: For the link on the terminal; None without one.
    """

    token: str
    login_code: str | None

    @classmethod
    def parse(cls, output: str) -> Self:
        """What `main` printed."""
        return cls(**json.loads(output))


def main(with_login_code: bool) -> None:
    """Migrate, and print what lets the owner in."""
    from core.accounts.accounts import get_or_create_owner
    from core.accounts.login_codes import create_login_code
    from core.accounts.tokens import replace_token
    from core.base.config import load_settings

    try:
        with translate_core_errors():
            db = migrate_installation(load_settings())
            with db.write() as session:
                token = replace_token(session, TOKEN_NAME)
                code = create_login_code(session, get_or_create_owner(session)) if with_login_code else None
            db.close()
    except ClientError as error:
        echo(f"Error: {error.message}", err=True)
        sys.exit(AWAY if isinstance(error, ServerAway) else 1)
    print(json.dumps(asdict(Access(token, code))))  # noqa: T201 - read by the supervisor


if __name__ == "__main__":
    main(WITH_CODE in sys.argv[1:])
