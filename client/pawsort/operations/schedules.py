"""Schedules and their runs."""

from typing import Unpack

from pawsort.api.calls import NOTHING, Call, Stream, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.schemas import Schedule, ScheduleChanges, ScheduleInput, ScheduleRun


class ScheduleOperations:
    """Rules that create jobs."""

    @Listing
    def list(self) -> Stream[Schedule]:
        """Iterate over the schedules, newest first."""
        return pages(Schedule, "/schedules")

    @Operation
    def create(self, **schedule: Unpack[ScheduleInput]) -> Call[Schedule]:
        """Create a schedule. Repeated after a lost answer it is refused, because names are unique."""
        return Call(Schedule, "POST", "/schedules", json=schedule)

    @Operation
    def get(self, schedule: int) -> Call[Schedule]:
        """Return a schedule."""
        return Call(Schedule, "GET", f"/schedules/{schedule}")

    @Operation
    def update(self, schedule: int, **changes: Unpack[ScheduleChanges]) -> Call[Schedule]:
        """Change a schedule; `is_on=False` pauses it."""
        return Call(Schedule, "PATCH", f"/schedules/{schedule}", json=changes)

    @Operation
    def delete(self, schedule: int) -> Call[None]:
        """Delete a schedule. Results of its runs are kept."""
        return Call(NOTHING, "DELETE", f"/schedules/{schedule}")

    @Operation
    def run(self, schedule: int) -> Call[ScheduleRun]:
        """Run a schedule now."""
        return Call(ScheduleRun, "POST", f"/schedules/{schedule}/run", is_idempotent=False)

    @Listing
    def runs(self, schedule: int) -> Stream[ScheduleRun]:
        """Iterate over the runs of a schedule, newest first."""
        return pages(ScheduleRun, f"/schedules/{schedule}/runs")

    @Operation
    def get_run(self, schedule: int, run: int) -> Call[ScheduleRun]:
        """Return one run."""
        return Call(ScheduleRun, "GET", f"/schedules/{schedule}/runs/{run}")


class Schedules(ScheduleOperations, Group):
    """Rules that create jobs."""


class AsyncSchedules(ScheduleOperations, AsyncGroup):
    """Rules that create jobs."""
