"""The quota of the person who sends, asked before their bytes are read."""

from core.uploads import usage
from core.uploads.usage import Quota
from web.http.auth import current_user_id
from web.http.context import get_services


def check_quota(n_bytes: int) -> None:
    """Whether the person of this request may store so many bytes more.

    Raises:
        QuotaExceeded: They may not.
    """
    services = get_services()
    with services.db.read() as session:
        usage.check_room(session, current_user_id(), n_bytes, Quota.from_settings(services.settings))
