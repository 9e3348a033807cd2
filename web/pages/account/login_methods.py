"""Login methods of an account. Only its person may add one, soon after a login, with all rights of the role."""

from core.accounts import sessions
from core.base.errors import Conflict
from web.http.access.credentials import current_credential
from web.http.context import get_services
from web.http.rights import current_actor


def check_may_add_login_method() -> None:
    """Refuse to turn a token, or the session of a token with few scopes, into a login with all rights.

    Raises:
        Conflict: The request has a bearer token, or its session was opened with a limited one.
    """
    credential = current_credential()
    if credential.kind != "session" or credential.scopes is not None:
        raise Conflict(
            "A token cannot add or change a way to log in. Log in with your password, your organisation, or the link"
            " that `pawsort login` prints on the server."
        )


def check_recent_login() -> None:
    """Refuse to add a way to log in when the login was so long ago that somebody else may sit at the browser.

    Raises:
        Forbidden: It was.
    """
    with get_services().db.read() as session:
        sessions.check_recent_login(session, current_actor())
