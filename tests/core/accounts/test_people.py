"""Roles, disabling, and the owner who stays."""

import pytest
from sqlalchemy.orm import Session

from core.accounts import accounts, credentials, people, sessions, tokens
from core.accounts.rights import ROLE_RIGHTS, Role
from core.base.database import Database
from core.base.errors import Conflict, Forbidden, NotFound

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
        people.enable(session, people.act_as_owner(session), "ada")
        assert credentials.find_credential(session, "token", token) is not None
        assert credentials.find_credential(session, "session", key) is None


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
