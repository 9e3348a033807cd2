"""Who acts in a test."""

from sqlalchemy.orm import Session

from core.accounts import accounts, people, tokens
from core.accounts.rights import Actor
from core.base.database import Database


def as_owner(where: Session | Database) -> Actor:
    """The owner, who may do everything."""
    return as_person(where, accounts.OWNER)


def as_person(where: Session | Database, name: str) -> Actor:
    """A person in a browser; a member when the name is new."""
    if isinstance(where, Database):
        with where.write() as session:
            return as_person(session, name)
    return people.act_as(accounts.get_or_create_user(where, name), "session")


def make_token(db: Database, name: str) -> str:
    """A token of a person; of a new member when the name is new."""
    with db.write() as session:
        return tokens.create_token(session, "test", accounts.get_or_create_user(session, name))
