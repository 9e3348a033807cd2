"""A second PostgreSQL that follows the first one, and takes its place when that one is lost."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from tests.containers.project import DEFAULT, NAME, Project
from tests.support.waiting import until

STANDBY = f"{NAME}-standby"
ALIAS = "postgres"
COPY = """set -eu
rm -rf "$PGDATA"
pg_basebackup --host postgres --username pawsort --pgdata "$PGDATA" --checkpoint fast --write-recovery-conf
"""
ALLOW = """
line="host replication all all scram-sha-256"
grep -q "^$line" "$PGDATA/pg_hba.conf" || echo "$line" >> "$PGDATA/pg_hba.conf"
"""
FOLLOWED_S = 60.0


@contextmanager
def taken_over(project: Project) -> Iterator[None]:
    """PostgreSQL is lost, and its standby takes over; at the end the first server does the same to the standby."""
    (first,) = project.containers(ALIAS)
    image = project.inspect(first)["Config"]["Image"]
    # The settings of the first one: a standby that allows fewer connections than its primary ends at once.
    serve = f"{COPY}exec {shlex.join(project.services[ALIAS]['command'])} -c listen_addresses='*'"
    password = (project.folder / "secrets" / "postgres_password").read_text()
    copy = ("--network", DEFAULT, "--user", "999:999", "--env", f"PGPASSWORD={password}", "--entrypoint", "sh")
    _allow_followers(project, first)
    project.engine.run("run", "--detach", "--name", STANDBY, *copy, image, "-c", serve)
    try:
        _replace(project, first, STANDBY)
        yield
        project.engine.run("run", "--rm", "--volumes-from", first, *copy, image, "-c", COPY)
        project.plug_in(first, "first")
        project.engine.run("start", first)
        _replace(project, STANDBY, first)
    finally:
        project.engine.run("rm", "--force", "--volumes", STANDBY)


def _replace(project: Project, lost: str, standby: str) -> None:
    """Kill a server whose standby has all that it has confirmed, and give its name to the standby."""
    _wait_for(project, lost, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
    _ask(project, lost, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    _ask(project, lost, "SELECT pg_reload_conf()")
    _wait_for(project, lost, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
    project.engine.run("kill", lost)
    project.unplug(lost)
    project.unplug(standby)
    project.plug_in(standby, ALIAS)
    _ask(project, standby, "SELECT pg_promote()")


def _allow_followers(project: Project, container: str) -> None:
    project.engine.run("exec", container, "sh", "-c", ALLOW)
    _ask(project, container, "SELECT pg_reload_conf()")


def _wait_for(project: Project, container: str, sql: str) -> None:
    def explain() -> str:
        return project.engine.run("logs", "--tail", "20", STANDBY).stderr

    until(lambda: _ask(project, container, sql) == "1", FOLLOWED_S, sql, explain)


def _ask(project: Project, container: str, sql: str) -> str:
    words = ("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--username", "pawsort", "--command", sql)
    return project.engine.ask("exec", container, *words)
