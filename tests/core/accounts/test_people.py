"""Roles, disabling, and the owner who stays."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import accounts, credentials, invitations, login_codes, people, sessions, tokens
from core.accounts.rights import ROLE_RIGHTS, Actor, Role
from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import Conflict, Forbidden, NotFound
from core.orm.accounts import User
from core.orm.audit_log import AuditEntry

DATABASES = ("sqlite",)  # nothing here depends on the kind


def test_the_owner_is_an_admin_and_a_new_person_a_member(db: Database) -> None:
    with db.write() as session:
        owner = accounts.get_or_create_owner(session)
        ada = accounts.get_or_create_user(session, "ada")
        assert (owner.role, ada.role) == (Role.ADMIN, Role.MEMBER)


def test_another_role_gives_other_rights_and_a_notice(db: Database) -> None:
    with db.write() as session:
        key = sessions.open_session(session, accounts.get_or_create_user(session, "ada"), None, None)
        people.set_role(session, people.act_as_owner(session), "ada", Role.VIEWER)
        assert credentials.find_credential(session, "session", key) is None, "it had the rights of the old role"
        ada = people.get_person(session, "ada")
        assert people.act_as(ada, "session").rights == ROLE_RIGHTS[Role.VIEWER]
        assert ada.has_role_notice


def test_a_disabled_person_has_no_rights_no_session_and_no_token(db: Database) -> None:
    with db.write() as session:
        ada = accounts.get_or_create_user(session, "ada")
        token = tokens.create_token(session, "hers", ada)
        key = sessions.open_session(session, ada, None, None)
        people.disable(session, people.act_as_owner(session), "ada")
        assert people.act_as(ada, "schedule").rights == frozenset()
        assert credentials.find_credential(session, "token", token) is None
        assert credentials.find_credential(session, "session", key) is None


def _give_ways_in(session: Session, owner: Actor, person: User) -> dict[str, str]:
    """Everything that lets a person in without a login; by its kind, with its key."""
    acting = people.act_as(person, "session")
    return {
        "token": tokens.create_token(session, "hers", person),
        "session": sessions.open_session(session, person, None, None),
        "code": login_codes.create_login_code(session, person),
        "password link": invitations.create_password_reset(session, owner, person),
        "invitation": invitations.invite(session, acting, Role.VIEWER)[1],
    }


def _find_working(session: Session, keys: dict[str, str]) -> list[str]:
    found = {
        "token": credentials.find_credential(session, "token", keys["token"]),
        "session": credentials.find_credential(session, "session", keys["session"]),
        "code": login_codes.find_user_by_code(session, keys["code"]),
        "password link": invitations.find_open(session, keys["password link"], is_reset=True),
        "invitation": invitations.find_open(session, keys["invitation"]),
    }
    return [kind for kind, one in found.items() if one is not None]


@pytest.mark.parametrize("is_by_an_older_release", [False, True])
def test_nothing_that_let_a_disabled_person_in_works_after_enabling(db: Database, is_by_an_older_release: bool) -> None:
    with db.write() as session:
        owner, ada = people.act_as_owner(session), accounts.get_or_create_user(session, "ada")
        people.set_role(session, owner, "ada", Role.ADMIN)
        keys = _give_ways_in(session, owner, ada)
        assert _find_working(session, keys) == list(keys)
        if is_by_an_older_release:  # which left everything for later
            ada.disabled_at = db_now()
            session.flush()
        else:
            people.disable(session, owner, "ada")
        people.enable(session, owner, "ada")
        assert _find_working(session, keys) == []


def test_enabling_a_person_who_is_enabled_ends_nothing(db: Database) -> None:
    with db.write() as session:
        owner, ada = people.act_as_owner(session), accounts.get_or_create_user(session, "ada")
        people.set_role(session, owner, "ada", Role.ADMIN)
        keys = _give_ways_in(session, owner, ada)
        people.enable(session, owner, "ada")
        assert _find_working(session, keys) == list(keys)


def test_what_ends_with_a_disabled_person_is_on_record(db: Database) -> None:
    with db.write() as session:
        owner, ada = people.act_as_owner(session), accounts.get_or_create_user(session, "ada")
        people.set_role(session, owner, "ada", Role.ADMIN)
        _give_ways_in(session, owner, ada)
        people.disable(session, owner, "ada")
        newest = select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(3)
        assert set(session.scalars(newest)) == {"user.disable", "token.revoke", "invitation.withdraw"}


def test_a_disabled_person_gets_no_new_token(db: Database) -> None:
    with db.write() as session:
        ada = accounts.get_or_create_user(session, "ada")
        people.disable(session, people.act_as_owner(session), "ada")
        with pytest.raises(Conflict, match=r"Enable this person first"):
            tokens.create_token(session, "hers", ada)


def test_the_owner_stays_an_admin(db: Database) -> None:
    with db.write() as session:
        accounts.get_or_create_user(session, "ada")
        people.set_role(session, people.act_as_owner(session), "ada", Role.ADMIN)
        ada = people.act_as(people.get_person(session, "ada"), "session")
        with pytest.raises(Conflict, match=r"stays an admin"):
            people.set_role(session, ada, "owner", Role.MEMBER)
        with pytest.raises(Conflict, match=r"stays an admin"):
            people.disable(session, ada, "owner")


def _members_try(session: Session) -> None:
    ada = people.act_as(accounts.get_or_create_user(session, "ada"), "session")
    people.set_role(session, ada, "ada", Role.ADMIN)


def test_a_member_manages_nobody(db: Database) -> None:
    with db.write() as session, pytest.raises(Forbidden, match=r"Only admins can manage people"):
        _members_try(session)


def test_nobody_by_that_name_is_not_found(db: Database) -> None:
    with db.write() as session, pytest.raises(NotFound, match=r"pawsort user list"):
        people.set_role(session, people.act_as_owner(session), "eve", Role.VIEWER)
