"""Before every start: migrate the schema, register the included model versions, make a new token for the owner.

`pawsort up` runs this module in a process of its own and reads the token from its output: the supervisor forks, and
must not have the threads that the blob store or a database driver start.
"""

import sys

from instance.base.core_errors import ServerAway, translate_core_errors
from instance.base.migration import migrate_installation
from pawsort.api.errors import ClientError

AWAY = 75  # exit code while a server does not answer, as EX_TEMPFAIL of sysexits.h
TOKEN_NAME = "pawsort up"  # noqa: S105 - its name in lists


def main() -> None:
    """Migrate, and print the owner's new token."""
    from core.accounts.accounts import replace_token
    from core.base.config import load_settings

    try:
        with translate_core_errors():
            db = migrate_installation(load_settings())
            with db.write() as session:
                token = replace_token(session, TOKEN_NAME)
            db.close()
    except ClientError as error:
        error.show(sys.stderr)
        sys.exit(AWAY if isinstance(error, ServerAway) else error.exit_code)
    print(token)  # noqa: T201 - read by the supervisor


if __name__ == "__main__":
    main()
