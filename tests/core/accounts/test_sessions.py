"""Sessions, tokens and codes in SQL: how long they work, and what ends them."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import accounts, credentials, invitations, login_codes, people, sessions, tokens
from core.accounts.credentials import Credential
from core.accounts.rights import Role
from core.accounts.sessions import LIMITS, LIMITS_ALONE, SessionLimits
from core.base.database import Database
from core.base.errors import Forbidden, NotFound
from core.orm.accounts import LoginSession, User


def open_one(db: Database, name: str = "ada", limits: SessionLimits = LIMITS) -> str:
    with db.write() as session:
        return sessions.open_session(session, accounts.get_or_create_user(session, name), None, None, limits=limits)


def find(db: Database, key: str) -> Credential | None:
    with db.read() as session:
        return credentials.find_credential(session, "session", key)


def find_token(db: Database, token: str) -> Credential | None:
    with db.read() as session:
        return credentials.find_credential(session, "token", token)


def pass_time(db: Database, *, idle: timedelta = timedelta(), since_login: timedelta = timedelta()) -> None:
    """As if so much time had passed since the last request, and since the login."""
    with db.write() as session:
        for opened in session.scalars(select(LoginSession)):
            opened.seen_at, opened.expires_at = opened.seen_at - idle, opened.expires_at - since_login


def id_of(credential: Credential | None) -> int:
    assert credential is not None
    return credential.id


def test_a_session_is_known_by_its_key_of_which_only_the_digest_is_stored(db: Database) -> None:
    key = open_one(db)
    found = find(db, key)
    assert found is not None
    assert (found.kind, found.user.name, found.scopes) == ("session", "ada", None)
    assert find(db, "another") is None
    with db.read() as session:
        assert key.encode() not in session.scalars(select(LoginSession.digest)).all()


@pytest.mark.parametrize(
    ("limits", "idle", "since_login", "is_open"),
    [
        (LIMITS, timedelta(hours=11), timedelta(days=6), True),
        (LIMITS, timedelta(hours=12), timedelta(), False),
        (LIMITS, timedelta(), timedelta(days=7), False),
        (LIMITS_ALONE, timedelta(days=29), timedelta(days=29), True),
        (LIMITS_ALONE, timedelta(), timedelta(days=30), False),
    ],
)
def test_a_session_ends_when_it_is_idle_and_after_its_lifetime(
    db: Database, limits: SessionLimits, idle: timedelta, since_login: timedelta, is_open: bool
) -> None:
    key = open_one(db, limits=limits)
    pass_time(db, idle=idle, since_login=since_login)
    assert (find(db, key) is not None) == is_open
    with db.read() as session:
        assert len(sessions.list_sessions(session, session.scalars(select(User.id)).one())) == is_open


def test_only_the_single_person_of_a_server_for_this_machine_stays_logged_in_for_a_month(db: Database) -> None:
    with db.write() as session:
        accounts.get_or_create_owner(session)
        assert sessions.choose_limits(session, is_loopback=True) == LIMITS_ALONE
        assert sessions.choose_limits(session, is_loopback=False) == LIMITS
        accounts.get_or_create_user(session, "ada")
        assert sessions.choose_limits(session, is_loopback=True) == LIMITS


def test_a_person_who_is_no_longer_alone_has_the_limits_of_everybody(db: Database) -> None:
    with db.write() as session:
        owner = accounts.get_or_create_owner(session)
        old, idle, fresh = (sessions.open_session(session, owner, None, None, limits=LIMITS_ALONE) for _ in range(3))
        by_age = session.scalars(select(LoginSession).order_by(LoginSession.id)).all()
        by_age[0].expires_at -= timedelta(days=8)
        by_age[1].seen_at -= timedelta(hours=13)
        invitations.add_person(session, "ada", Role.MEMBER)
    assert [find(db, key) is not None for key in (old, idle, fresh)] == [False, False, True]


@pytest.mark.parametrize(
    ("limits", "minutes", "is_recent"), [(LIMITS, 14, True), (LIMITS, 16, False), (LIMITS_ALONE, 16, True)]
)
def test_a_login_is_recent_for_a_quarter_of_an_hour_except_for_the_single_person(
    db: Database, limits: SessionLimits, minutes: int, is_recent: bool
) -> None:
    opened, other = find(db, open_one(db, limits=limits)), open_one(db)
    assert opened is not None
    with db.write() as session:
        session.get_one(LoginSession, opened.id).created_at -= timedelta(minutes=minutes)
        actor = opened.act(None)
        if is_recent:
            sessions.end_other_sessions(session, actor)
        else:
            for end in (
                lambda: sessions.end_other_sessions(session, actor),
                lambda: sessions.end_own_session(session, actor, id_of(find(db, other))),
            ):
                with pytest.raises(Forbidden, match="Log in again"):
                    end()
            sessions.end_own_session(session, actor, opened.id)
    assert (find(db, other) is None) == is_recent


def test_a_request_is_noted_at_most_once_a_minute(db: Database) -> None:
    key = open_one(db)
    fresh = find(db, key)
    assert fresh is not None
    assert not fresh.is_to_be_noted
    pass_time(db, idle=timedelta(hours=11))
    later = find(db, key)
    assert later is not None
    assert later.is_to_be_noted
    with db.write() as session:
        credentials.note_use(session, later)
    pass_time(db, idle=timedelta(hours=11))
    assert find(db, key) is not None, "the hours of idleness begin anew"


def test_ending_sessions_leaves_the_one_that_is_named_and_those_of_others(db: Database) -> None:
    own, other, of_bob = open_one(db), open_one(db), open_one(db, "bob")
    kept = id_of(find(db, own))
    with db.write() as session:
        ada = people.get_person(session, "ada")
        assert sessions.end_sessions(session, ada.id, except_id=kept) == 1
    assert [find(db, key) is not None for key in (own, other, of_bob)] == [True, False, True]
    with db.write() as session:
        sessions.end_session(session, kept)
    assert find(db, own) is None


def test_a_session_that_was_opened_with_a_token_ends_with_it(db: Database) -> None:
    with db.write() as session:
        ada = accounts.get_or_create_user(session, "ada")
        token = tokens.create_token(session, "script", ada)
    token_id = id_of(find_token(db, token))
    with db.write() as session:
        key = sessions.open_session(session, ada, None, None, token_id=token_id)
    assert find(db, key) is not None
    with db.write() as session:
        tokens.revoke_token(session, people.act_as_owner(session), token_id)
    assert find(db, key) is None
    assert find_token(db, token) is None


def test_a_token_works_for_ninety_days_unless_it_is_for_ever(db: Database) -> None:
    with db.write() as session:
        usual, endless = tokens.create_token(session, "usual"), tokens.create_token(session, "endless", days=None)
        for token in tokens.list_tokens(session):
            token.expires_at = token.expires_at and token.expires_at - timedelta(days=90)
    assert find_token(db, usual) is None
    assert find_token(db, endless) is not None
    with db.read() as session:
        assert [token.name for token in tokens.list_tokens(session)] == ["endless"]


def test_nobody_revokes_the_token_of_somebody_else(db: Database) -> None:
    with db.write() as session:
        token = tokens.create_token(session, "script", accounts.get_or_create_user(session, "ada"))
        bob = accounts.get_or_create_user(session, "bob")
    with db.write() as session, pytest.raises(NotFound):
        tokens.revoke_token(session, people.act_as(bob, "session"), id_of(find_token(db, token)))
    assert find_token(db, token) is not None


def test_replacing_a_token_leaves_those_of_others_with_the_same_name(db: Database) -> None:
    with db.write() as session:
        of_ada = tokens.create_token(session, "pawsort up", accounts.get_or_create_user(session, "ada"))
        first, second = tokens.replace_token(session, "pawsort up"), tokens.replace_token(session, "pawsort up")
    assert [find_token(db, token) is not None for token in (of_ada, first, second)] == [True, False, True]


def test_of_two_who_use_a_code_one_gets_in(db: Database) -> None:
    with db.write() as session:
        code = login_codes.create_login_code(session, accounts.get_or_create_user(session, "ada"))
    with db.read() as session:
        looked = login_codes.find_user_by_code(session, code)
    assert looked is not None
    assert looked.name == "ada"

    def use(session: Session) -> User | None:
        return login_codes.use_code(session, code)

    with db.write() as one:
        assert use(one) is not None
    with db.write() as other:
        assert use(other) is None
