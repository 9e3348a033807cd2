"""All tables: importing this module puts each of them into `Base.metadata`."""

from core.orm import (
    accounts,
    audit_log,
    evaluation,
    jobs,
    labels,
    models,
    operations,
    results,
    review,
    schedules,
    training,
    uploads,
    webhooks,
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
    schedules,
    operations,
    webhooks,
)
metadata = Base.metadata
