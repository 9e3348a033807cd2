"""Schedules and their runs: create, list, change, pause, run now, delete."""

from datetime import datetime

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.states import RunState
from core.orm.schedules import Schedule
from core.schedules import due_runs, due_times, runs, schedules
from core.schedules.runs import RunView
from core.schedules.schedules import NewSchedule
from web.http.context import get_services
from web.http.paths import RUN_ID, SCHEDULE_ID
from web.http.rights import current_actor, needs
from web.schemas.common import PageQuery
from web.schemas.schedules import RunOut, RunPage, ScheduleIn, ScheduleOut, SchedulePage, SchedulePatch

TAG = {
    "name": "Schedules",
    "description": "Rules that create jobs: retrain, classify new files, clean up, back up",
}
api = APIBlueprint("schedules", __name__, url_prefix="/api/v1/schedules", tag=TAG)

ONE = f"/{SCHEDULE_ID}"


@api.get("")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(SchedulePage)
def list_schedules(query_data: PageQuery) -> SchedulePage:
    """Schedules, newest first"""
    with get_services().db.read() as session:
        page = schedules.list_schedules(session, query_data.cursor, query_data.limit)
        last = runs.find_last(session, [one.id for one in page.items])
        now = schedules.read_clock(session)
    return SchedulePage(items=[_show(one, last.get(one.id), now) for one in page.items], next=page.next)


@api.post("")
@needs(Right.SCHEDULES)
@api.input(ScheduleIn)
@api.output(ScheduleOut, status_code=201)
@api.doc(responses={409: "Another schedule has this name", 422: "One sentence per invalid value"})
def create_schedule(json_data: ScheduleIn) -> ScheduleOut:
    """Create a schedule

    It retrains (and can promote a better version), classifies new files in a folder or bucket prefix that this server
    may read, or cleans up.
    """
    services = get_services()
    with services.db.write() as session:
        wanted = NewSchedule(**json_data.model_dump())
        roots = services.settings.import_root_list
        schedule = schedules.create_schedule(session, current_actor(), wanted, roots)
        return _show(schedule, None, schedules.read_clock(session))


@api.get(ONE)
@needs(Right.SEE)
@api.output(ScheduleOut)
@api.doc(responses={410: "The schedule was deleted"})
def get_schedule(schedule_id: int) -> ScheduleOut:
    """One schedule with its last run"""
    with get_services().db.read() as session:
        return _read(session, schedules.get_schedule(session, schedule_id))


@api.patch(ONE)
@needs(Right.SCHEDULES)
@api.input(SchedulePatch)
@api.output(ScheduleOut)
@api.doc(responses={409: "The schedule has changed since (`revision`)", 422: "One sentence per invalid value"})
def update_schedule(schedule_id: int, json_data: SchedulePatch) -> ScheduleOut:
    """Change, pause or resume a schedule

    Fields that are not sent keep their values. Use either a cron line or a number of labels: set one, and the other to
    null.
    """
    services, actor = get_services(), current_actor()
    changes = json_data.model_dump(exclude_unset=True)
    revision = changes.pop("revision", None)
    nullable = {"cron", "every_n_labels"}
    changes = {name: value for name, value in changes.items() if value is not None or name in nullable}
    with services.db.write() as session:
        if changes.keys() == {"is_on"} and revision is None:  # even if the schedule has become invalid otherwise
            return _read(session, schedules.switch(session, actor, schedule_id, changes["is_on"]))
        if "parameters" in changes:
            present = schedules.get_schedule(session, schedule_id, lock=True).parameters
            changes["parameters"] = present | changes["parameters"]
        roots = services.settings.import_root_list
        return _read(session, schedules.update_schedule(session, actor, schedule_id, changes, roots, revision))


@api.delete(ONE)
@needs(Right.SCHEDULES)
@api.output({}, status_code=204)
def delete_schedule(schedule_id: int) -> tuple[str, int]:
    """Delete a schedule; its runs are kept

    A job that it has started continues, but nothing will be promoted.
    """
    with get_services().db.write() as session:
        schedules.delete_schedule(session, current_actor(), schedule_id)
    return "", 204


@api.post(f"{ONE}/run")
@needs(Right.SCHEDULES)
@api.output(RunOut, status_code=202, description="The run has started")
@api.doc(responses={409: "The last run has not ended yet"})
def run_schedule(schedule_id: int) -> RunOut:
    """Run a schedule now; the next scheduled run stays as it is"""
    with get_services().db.write() as session:
        run = due_runs.run_now(session, current_actor(), schedule_id)
        return show_run(runs.get_run(session, schedule_id, run.id))


@api.get(f"{ONE}/runs")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(RunPage)
def list_runs(schedule_id: int, query_data: PageQuery) -> RunPage:
    """Runs of a schedule, newest first, also of a deleted schedule"""
    with get_services().db.read() as session:
        page = runs.list_runs(session, schedule_id, query_data.cursor, query_data.limit)
    return RunPage(items=[show_run(one) for one in page.items], next=page.next)


@api.get(f"{ONE}/runs/{RUN_ID}")
@needs(Right.SEE)
@api.output(RunOut)
def get_run(schedule_id: int, run_id: int) -> RunOut:
    """One run with its parameters, its outcome and the reason for it"""
    with get_services().db.read() as session:
        return show_run(runs.get_run(session, schedule_id, run_id))


def show_run(view: RunView) -> RunOut:
    """A run as the API shows it."""
    run = view.run
    names = ("id", "due_at", "n_due", "is_late", "outcome", "parameters", "details", "started_at", "finished_at")
    return RunOut(
        **{name: getattr(run, name) for name in names},
        state=RunState(run.state),
        user=view.who,
        who=view.who,
        job=view.job,
    )


def _read(session: Session, schedule: Schedule) -> ScheduleOut:
    last = runs.find_last(session, [schedule.id])
    return _show(schedule, last.get(schedule.id), schedules.read_clock(session))


def _show(schedule: Schedule, last: RunView | None, now: datetime) -> ScheduleOut:
    names = ("id", "name", "kind", "cron", "time_zone", "every_n_labels", "parameters", "is_on", "next_run_at")
    return ScheduleOut(
        **{name: getattr(schedule, name) for name in names},
        revision=schedule.revision,
        created_at=schedule.created_at,
        in_words=due_times.describe(schedule.cron, schedule.every_n_labels),
        next_times=due_times.list_next(schedule, now),
        last_run=None if last is None else show_run(last),
    )
