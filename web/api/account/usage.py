"""What the person who asks uses, and may use."""

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.uploads import usage
from core.uploads.usage import Quota
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.rights import needs
from web.schemas.uploads import UsageOut

api = APIBlueprint("usage", __name__, url_prefix="/api/v1/account", tag="Account")


@api.get("/usage")
@needs(Right.SEE)
@api.output(UsageOut)
def get_usage() -> UsageOut:
    """How many bytes and images your uploads use, and your quota"""
    services = get_services()
    with services.db.read() as session:
        return UsageOut.of(usage.read_usage(session, current_user_id(), Quota.from_settings(services.settings)))
