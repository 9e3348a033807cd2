"""Login methods of an account. Only its person may add one, in a browser, with all rights of the role."""

from core.base.errors import Conflict
from web.http.access.credentials import current_credential


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
