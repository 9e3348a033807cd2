"""The pages of schedules: a list, a form with a preview of the next times, a schedule with its runs, and a run.

Every step is a form or a link that works without JavaScript.
"""

from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.rights import Right
from core.base import cron
from core.base.errors import Conflict, Invalid, NotFound
from core.base.network_catalog import TRAINABLE
from core.base.states import JobKind, JobState, ScheduleKind
from core.jobs.listing import job_list
from core.labels import labelled_uploads
from core.labels.labelled_uploads import LabelledUpload
from core.models.version_choices import offer_versions
from core.orm.schedules import Schedule
from core.schedules import due_runs, runs, schedules
from core.schedules.recurrence import MONTH_DAYS, WEEKDAYS
from web.http.context import get_services
from web.http.paths import RUN_ID, SCHEDULE_ID
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.common import training_fields
from web.pages.schedules import display
from web.pages.schedules.form import KIND_WORDS, WHOLE_FORM, ScheduleForm, check_form, preview_runs

pages = Blueprint("schedule_pages", __name__)

SHOWN = 30
JOBS_OFFERED = 3
UPLOADS_SHOWN = 30
ONE = f"/schedules/{SCHEDULE_ID}"


@pages.get("/schedules")
@needs(Right.SEE)
def list_schedules() -> str:
    """All schedules, newest first."""
    cursor = request.args.get("cursor")
    with get_services().db.read() as session:
        page = schedules.list_schedules(session, cursor, SHOWN)
        last = runs.find_last(session, [one.id for one in page.items])
        now = schedules.read_clock(session)
    shown = [display.show_schedule(one, last.get(one.id), now) for one in page.items]
    return render_template("schedules/list.html", schedules=shown, next=page.next, is_first_page=cursor is None)


@pages.get("/schedules/new")
@needs(Right.SCHEDULES)
def prepare_schedule() -> str:
    """The form for a new schedule of one kind."""
    kind = _kind(request.args.get("kind", ScheduleKind.RETRAIN))
    with get_services().db.read() as session:
        form = ScheduleForm.empty(session, kind)
    return _show_form(form)


@pages.post("/schedules/new")
@needs(Right.SCHEDULES)
def create_schedule() -> Response | tuple[str, int]:
    """Create the schedule, or show the form again with its errors."""
    form = ScheduleForm.from_request(_kind(request.form.get("kind", "")), request)
    return _keep(form, None)


@pages.get(f"{ONE}/edit")
@needs(Right.SCHEDULES)
def edit_schedule(schedule_id: int) -> str:
    """The form for an existing schedule."""
    with get_services().db.read() as session:
        schedule = schedules.get_schedule(session, schedule_id)
    return _show_form(ScheduleForm.from_schedule(schedule), schedule, schedule.revision)


@pages.post(f"{ONE}/edit")
@needs(Right.SCHEDULES)
def change_schedule(schedule_id: int) -> Response | tuple[str, int]:
    """Save the changes to a schedule, or show the form again with its errors."""
    with get_services().db.read() as session:
        schedule = schedules.get_schedule(session, schedule_id)
    return _keep(ScheduleForm.from_request(ScheduleKind(schedule.kind), request), schedule)


@pages.get(ONE)
@needs(Right.SEE)
def show_schedule(schedule_id: int) -> str:
    """A schedule: its settings, the next times and its runs."""
    cursor = request.args.get("cursor")
    with get_services().db.read() as session:
        schedule = schedules.get_schedule(session, schedule_id)
        page = runs.list_runs(session, schedule_id, cursor, SHOWN)
        last = runs.find_last(session, [schedule_id])
        now = schedules.read_clock(session)
        person = runs.find_person(session, schedule)
    return render_template(
        "schedules/schedule.html",
        person=person.name,
        why_not=runs.why_not(person),
        shown=display.show_schedule(schedule, last.get(schedule_id), now),
        runs=[display.show_run(one, schedule.time_zone) for one in page.items],
        next=page.next,
        is_first_page=cursor is None,
        refused=request.args.get("refused"),
    )


@pages.get(f"{ONE}/runs/{RUN_ID}")
@needs(Right.SEE)
def show_schedule_run(schedule_id: int, run_id: int) -> str:
    """A run: its data, its outcome, and why the version was promoted or not."""
    with get_services().db.read() as session:
        view = runs.get_run(session, schedule_id, run_id)
        schedule = session.get_one(Schedule, schedule_id)
        recent = job_list.list_jobs(session, None, SHOWN).items if view.run.details.get("is_too_few") else []
    kind = ScheduleKind(schedule.kind)
    done = [job for job in recent if job.kind == JobKind.CLASSIFY and job.state == JobState.DONE]
    return render_template(
        "schedules/run.html",
        schedule=schedule,
        shown=display.show_run(view, schedule.time_zone),
        settings=display.describe(kind, view.run.parameters),
        details_facts=display.describe_details(kind, view.run.details),
        details=view.run.details,
        to_audit=sorted(done, key=lambda job: -job.n_total)[:JOBS_OFFERED],
    )


@pages.post(f"{ONE}/run")
@needs(Right.SCHEDULES)
def run_schedule_now(schedule_id: int) -> Response:
    """Start a run, unless the last one is still running."""
    try:
        with get_services().db.write() as session:
            run_id = due_runs.run_now(session, current_actor(), schedule_id).id
    except Conflict:
        return see_other(url_for("schedule_pages.show_schedule", schedule_id=schedule_id, refused=1))
    return see_other(url_for("schedule_pages.show_schedule_run", schedule_id=schedule_id, run_id=run_id))


@pages.post(f"{ONE}/switch")
@needs(Right.SCHEDULES)
def switch_schedule(schedule_id: int) -> Response:
    """Pause or resume a schedule."""
    services = get_services()
    is_on = request.form.get("is_on") == "1"
    with services.db.write() as session:
        schedules.switch(session, current_actor(), schedule_id, is_on)
    return see_other(url_for("schedule_pages.show_schedule", schedule_id=schedule_id))


@pages.get(f"{ONE}/delete")
@needs(Right.SCHEDULES)
def confirm_delete_schedule(schedule_id: int) -> str:
    """Ask before a schedule is deleted."""
    with get_services().db.read() as session:
        return render_template("schedules/delete.html", schedule=schedules.get_schedule(session, schedule_id))


@pages.post(f"{ONE}/delete")
@needs(Right.SCHEDULES)
def delete_schedule(schedule_id: int) -> Response:
    """Delete a schedule."""
    with get_services().db.write() as session:
        schedules.delete_schedule(session, current_actor(), schedule_id)
    return see_other(url_for("schedule_pages.list_schedules"))


def _keep(form: ScheduleForm, schedule: Schedule | None) -> Response | tuple[str, int]:
    """Create or change a schedule, or show the form again."""
    services = get_services()
    roots = services.settings.import_root_list
    revision = request.form.get("revision", type=int)
    with services.db.read() as session:
        checked = check_form(session, form, roots, schedule)
    if checked.errors or "look" in request.form:
        return _show_form(checked, schedule, revision), 200 if "look" in request.form else 422
    try:
        with services.db.write() as session:
            if schedule is None:
                kept = schedules.create_schedule(session, current_actor(), form.to_schedule()[0], roots)
            else:
                new = form.to_schedule(schedule.is_on)[0]
                changes = {name: getattr(new, name) for name in schedules.EDITABLE if name != "is_on"}
                kept = schedules.update_schedule(session, current_actor(), schedule.id, changes, roots, revision)
    except (Invalid, Conflict) as error:  # changed since the check
        wrong = ScheduleForm(form.kind, form.values, form.uploads, {WHOLE_FORM: error.message})
        return _show_form(wrong, schedule, revision), 409
    return see_other(url_for("schedule_pages.show_schedule", schedule_id=kept.id))


def _show_form(form: ScheduleForm, schedule: Schedule | None = None, revision: int | None = None) -> str:
    services = get_services()
    is_new = request.method == "GET" and schedule is None
    with services.db.read() as session:
        next_runs = None if is_new else preview_runs(session, form)
        uploads = (
            labelled_uploads.list_labelled(session, current_actor(), None, UPLOADS_SHOWN).items
            if _is_retrain(form)
            else []
        )
        chosen = labelled_uploads.find_uploads(session, _known_uuids(form, uploads)) if _is_retrain(form) else []
        offered = offer_versions(session) if form.kind == ScheduleKind.CLASSIFY else None
    return render_template(
        "schedules/form.html",
        form=form,
        form_error=form.errors.get(WHOLE_FORM),
        schedule=schedule,
        is_new=is_new,
        revision=revision,
        kinds=KIND_WORDS,
        next_runs=next_runs,
        uploads=[*chosen, *uploads],
        offered=offered,
        roots=services.settings.import_root_list,
        has_backup_folder=bool(services.settings.backup_dir),
        zones=cron.list_zones(),
        weekdays=WEEKDAYS,
        month_days=MONTH_DAYS,
        numbers=training_fields.NUMBERS,
        networks={name: TRAINABLE[name].title for name in training_fields.trainable()},
        augmentations=training_fields.augmentations(),
    )


def _known_uuids(form: ScheduleForm, uploads: list[LabelledUpload]) -> list[UUID]:
    """The selected uploads that are not in the list."""
    here = {str(one.uuid) for one in uploads}
    uuids = []
    for text in form.uploads:
        try:
            if text not in here:
                uuids.append(UUID(text))
        except ValueError:
            continue
    return uuids


def _is_retrain(form: ScheduleForm) -> bool:
    return form.kind == ScheduleKind.RETRAIN


def _kind(name: str) -> ScheduleKind:
    try:
        return ScheduleKind(name)
    except ValueError:
        raise NotFound(f"Expected a kind of schedule ({', '.join(ScheduleKind)}); got {name[:50]!r}.") from None
