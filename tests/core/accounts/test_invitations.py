"""Links of admins in SQL: each works once, whoever is faster, and only while its maker is an admin."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.accounts import accounts, invitations, people
from core.accounts.passwords.passwords import has_password, keep_password
from core.accounts.rights import ROLE_RIGHTS, Right, Role
from core.base.database import Database
from core.base.errors import Conflict, Forbidden, Gone, Invalid
from tests.support.actors import as_person


def invite(db: Database, recipient: str = "", by: str = accounts.OWNER) -> str:
    with db.write() as session:
        return invitations.invite(session, as_person(db, by), Role.MEMBER, recipient)[1]


def is_open(db: Database, code: str) -> bool:
    with db.read() as session:
        return invitations.find_open(session, code) is not None


def test_of_two_who_accept_at_once_one_joins(db: Database) -> None:
    code = invite(db)

    with db.read() as session:
        found = invitations.find_open(session, code)
    assert found is not None

    def accept(name: str) -> bool:
        try:
            with db.write() as session:
                invitations.accept(session, found, name)
        except Gone:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(accept, ("eve", "mallory"))) == [False, True]


def test_links_of_an_admin_who_was_disabled_no_longer_work(db: Database) -> None:
    with db.write() as session:
        accounts.get_or_create_user(session, "ada").role = Role.ADMIN
    code = invite(db, by="ada")
    assert is_open(db, code)
    with db.write() as session:
        people.disable(session, people.act_as_owner(session), "ada")
    assert not is_open(db, code)


@pytest.mark.parametrize("recipient", ["a\x1b[31m", "@example.org", "ada @example.org", "x" * 300 + "@example.org"])
def test_a_recipient_is_a_name_or_an_address(db: Database, recipient: str) -> None:
    with pytest.raises(Invalid):
        invite(db, recipient)


@pytest.mark.parametrize("name", ["OWNER", "ｏｗｎｅｒ", "Zoe\u0308"])
def test_nobody_is_invited_under_a_name_that_is_taken_in_other_cases_or_codes(db: Database, name: str) -> None:
    with db.write() as session:
        invitations.add_person(session, "zo\u00eb", Role.MEMBER)
    with pytest.raises(Conflict, match="Choose another name"):
        invite(db, name)


def test_of_two_with_the_same_name_one_joins(db: Database) -> None:
    codes = [invite(db), invite(db)]

    def accept(code: str) -> bool:
        with db.read() as session:
            found = invitations.find_open(session, code)
        assert found is not None
        try:
            with db.write() as session:
                invitations.accept(session, found, "eve")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(accept, codes)) == [False, True]


def test_nobody_joins_as_the_owner_before_the_owner_is_there(db: Database) -> None:
    with db.write() as session, pytest.raises(Conflict):
        invitations.add_person(session, "Owner", Role.VIEWER)


def test_only_the_owner_and_the_server_itself_give_the_owner_a_new_password(db: Database) -> None:
    with db.write() as session:
        owner, other = accounts.get_or_create_owner(session), accounts.get_or_create_user(session, "alma")
        other.role = Role.ADMIN
        with pytest.raises(Conflict, match="pawsort user reset owner"):
            invitations.create_password_reset(session, people.act_as(other, "session"), owner)
        assert invitations.create_password_reset(session, people.act_as(owner, "session"), owner)
        assert invitations.create_password_reset(session, people.act_as_owner(session), owner)


def test_a_token_with_few_scopes_gives_no_role_with_more(db: Database) -> None:
    with db.write() as session:
        alma, eve = (accounts.get_or_create_user(session, name) for name in ("alma", "eve"))
        alma.role = Role.ADMIN
        limited = replace(people.act_as(alma, "token"), rights=frozenset({Right.PEOPLE, *ROLE_RIGHTS[Role.VIEWER]}))
        invitations.invite(session, limited, Role.VIEWER)
        people.set_role(session, limited, eve.name, Role.VIEWER)
        for act in (
            lambda: invitations.invite(session, limited, Role.MEMBER),
            lambda: people.set_role(session, limited, eve.name, Role.ADMIN),
            lambda: invitations.create_password_reset(session, limited, alma),
        ):
            with pytest.raises(Forbidden, match="Nobody gives more rights than they have"):
                act()


def test_a_member_invites_nobody(db: Database) -> None:
    with pytest.raises(Forbidden):
        invite(db, by="eve")


def test_a_new_password_takes_the_place_of_the_old_one(db: Database) -> None:
    with db.write() as session:
        ada = accounts.get_or_create_user(session, "ada").id
        assert not has_password(session, ada)
        keep_password(session, ada, "first")
        keep_password(session, ada, "second")
        assert has_password(session, ada)
