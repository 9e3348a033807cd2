"""What the roles of PostgreSQL may do with the tables. deploy/postgres/roles.sql makes the roles.

A role of another name gets these privileges by membership: `GRANT pawsort_runtime TO my_role`.
"""

from sqlalchemy import Connection, text

RUNTIME, MAINTENANCE = "pawsort_runtime", "pawsort_maintenance"
_ROLES = text("SELECT rolname FROM pg_roles WHERE rolname IN (:runtime, :maintenance) ORDER BY rolname")
_OWNS_TABLES = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'alembic_version'::regclass")


def grant_privileges(connection: Connection) -> None:
    """Grant each role what it needs, if there are such roles, and if this one owns the tables.

    Migrations belong to the owner, so the others only read which one was the last. The audit log is append-only.
    """
    if not connection.execute(_OWNS_TABLES).scalar_one():
        return
    for role in connection.scalars(_ROLES, {"runtime": RUNTIME, "maintenance": MAINTENANCE}).all():
        for statement in _privileges(role):
            connection.exec_driver_sql(statement)


def _privileges(role: str) -> list[str]:
    deletes = "UPDATE" if role == MAINTENANCE else "UPDATE, DELETE"
    return [
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
        f"REVOKE {deletes} ON audit_log FROM {role}",
    ]
