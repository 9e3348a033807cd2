"""An upgrade gives everybody a role and tells them."""

from alembic import command
from sqlalchemy import select

from core.accounts import accounts, credentials, people, tokens
from core.base.database import Database
from core.orm.accounts import User
from migrations.run import make_config

BEFORE = "0028"


def test_the_owner_becomes_admin_others_become_members_and_all_are_told(db: Database) -> None:
    with db.write() as session:
        owner = accounts.get_or_create_owner(session).id
        keys = [
            tokens.create_token(session, "laptop", accounts.get_or_create_user(session, name))
            for name in ("ada", "bob", "eve")
        ]
        session.flush()
    with db.engine.execution_options(writes=True).begin() as connection:
        config = make_config()
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
        command.upgrade(config, "head")
    with db.write() as session:
        roles = {user.name: user.role for user in people.list_people(session)}
        assert roles == {"owner": "admin", "ada": "member", "bob": "member", "eve": "member"}
        assert set(session.scalars(select(User.has_role_notice))) == {True}
        assert None not in [credentials.find_credential(session, "token", key) for key in keys], (
            "their tokens still work"
        )
        assert accounts.get_or_create_owner(session).id == owner
        assert not accounts.get_or_create_user(session, "new").has_role_notice
