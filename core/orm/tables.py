"""All tables: importing this module puts each of them into `Base.metadata`."""

from core.orm import (
    accounts,
    audit_log,
    backups,
    evaluation,
    jobs,
    labels,
    metrics,
    models,
    near_duplicates,
    results,
    review,
    schedules,
    training,
    uploads,
    workers,
)
from core.orm.base import Base

MODULES = (
    accounts,
    audit_log,
    uploads,
    jobs,
    results,
    models,
    training,
    labels,
    review,
    evaluation,
    near_duplicates,
    schedules,
    workers,
    metrics,
    backups,
)
metadata = Base.metadata
