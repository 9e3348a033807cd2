"""Which test files run in one process, one after another: those that share an instance, which takes long to start.

xdist has groups of its own, by marks, but loses them with this version of pytest.
"""

from xdist.scheduler import LoadScopeScheduling

# By the fixture that they share. Each group starts one of its own. The ones that take longest come first: no process is
# left with them at the end.
GROUPS = {
    "installation": (
        ("tests/faults/test_kills.py",),
        (
            "tests/faults/test_decoders.py",
            "tests/faults/test_jobs.py",
            "tests/faults/test_promotions.py",
            "tests/faults/test_schedules.py",
            "tests/faults/test_torture.py",
            "tests/faults/test_trainings.py",
            "tests/faults/test_weights.py",
            "tests/faults/test_backup.py",
            "tests/faults/test_war.py",
        ),
    ),
    "stack": (
        (
            "tests/deploy/test_servers.py",
            "tests/deploy/test_services.py",
            "tests/deploy/test_roles.py",
            "tests/deploy/test_broker_user.py",
        ),
    ),
    "instance": (("tests/browser/test_upload.py", "tests/browser/test_tutorial.py"),),
}
# Then the longest of the other files.
LONG = (
    "tests/integration/test_up.py",
    "tests/integration/test_way.py",
    "tests/faults/test_postgresql.py",
    "tests/browser/test_accessibility.py",
    "tests/browser/test_pages.py",
)
_GROUPS = [files for groups in GROUPS.values() for files in groups]
_GROUP_OF = {file: files[0] for files in _GROUPS for file in files}
_ORDER = [*(files[0] for files in _GROUPS), *LONG]


class Grouped(LoadScopeScheduling):
    """Gives each process a group of files at a time. Their order is that of the tests (`--no-loadscope-reorder`)."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The group of a test: the first of the files that share a fixture, else its own file."""
    file = nodeid.partition("::")[0]
    return _GROUP_OF.get(file, file)


def rank_of(nodeid: str) -> int:
    """Where the group of a test comes among all."""
    group = group_of(nodeid)
    return _ORDER.index(group) if group in _ORDER else len(_ORDER)


def shares(nodeid: str, fixture: str) -> bool:
    """Whether a test's file is in a group of this fixture."""
    file = nodeid.partition("::")[0]
    return any(file in files for files in GROUPS[fixture])
