"""The lease of a claimed run, kept while the run is worked on."""

from core.base.database import Database
from core.base.errors import LeaseLost
from core.operations.lease_keeper import LeaseKeeper
from core.schedules import runs
from core.schedules.runs import RunClaim


def keep_lease(db: Database, claim: RunClaim, lease_s: float, heartbeat_s: float) -> LeaseKeeper:
    """A context manager that renews the lease of a run while its block runs."""

    def renew() -> bool:
        try:
            with db.write() as session:
                runs.renew_lease(session, claim, lease_s)
        except LeaseLost:  # it has ended, or another worker has it: the next write of the work itself notices
            return False
        return True

    return LeaseKeeper(renew, heartbeat_s, "run_lease_not_renewed", run_id=claim.run_id)
