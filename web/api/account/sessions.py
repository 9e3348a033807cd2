"""The browsers in which the person who asks is logged in: list, log out."""

from apiflask import APIBlueprint

from core.accounts import sessions
from core.accounts.rights import Right
from core.orm.accounts import LoginSession
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.paths import SESSION_ID
from web.http.rights import current_actor, needs
from web.schemas.accounts import SessionList, SessionOut

api = APIBlueprint("sessions", __name__, url_prefix="/api/v1/sessions", tag="Account")


@api.get("")
@needs(Right.SEE)
@api.output(SessionList)
def list_sessions() -> SessionList:
    """The browsers in which you are logged in, the one that was used last first"""
    with get_services().db.read() as session:
        own = sessions.list_sessions(session, current_user_id())
    return SessionList(items=[_show(one) for one in own], next=None)


@api.delete(f"/{SESSION_ID}")
@needs(Right.SEE)
@api.output({}, status_code=204)
@api.doc(responses={404: "It is none of your sessions"})
def end_session(session_id: int) -> str:
    """Log one of your browsers out

    What is being sent from it is refused within seconds.
    """
    with get_services().db.write() as session:
        sessions.end_own_session(session, current_actor(), session_id)
    return ""


@api.delete("")
@needs(Right.SEE)
@api.output({}, status_code=204)
def end_other_sessions() -> str:
    """Log all your browsers out, but the one that asks

    Asked with a token, it logs out every browser. Tokens keep working.
    """
    with get_services().db.write() as session:
        sessions.end_other_sessions(session, current_actor())
    return ""


def _show(one: LoginSession) -> SessionOut:
    actor = current_actor()
    return SessionOut(
        id=one.id,
        is_current=actor.via == "session" and actor.credential_id == one.id,
        created_at=one.created_at,
        last_seen_at=one.seen_at,
        expires_at=one.expires_at,
        address=one.address,
        agent=one.agent,
    )
