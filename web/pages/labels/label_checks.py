"""Pages of disagreements, near-duplicates, and whether the model still fits."""

from math import ceil
from typing import Any
from uuid import UUID, uuid4, uuid5

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.audit_log import Action, record
from core.accounts.rights import Right
from core.base.errors import Invalid
from core.evaluation import drift
from core.labels import counts, disagreements, labels
from core.labels.disagreements import BETWEEN, PEOPLE
from core.labels.labels import NewLabel
from core.training import near_duplicates
from web.http import paths
from web.http.arguments import one_of, read_argument, whole_number
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs

pages = Blueprint("label_check_pages", __name__)

SHOWN = 60
MEMBERS_SHOWN = 24  # per group; a fixed camera may take thousands of such frames
JOBS_SHOWN = 50
GROUP_STATES = {"open": False, "decided": True}


@pages.get("/labels/disagreements")
@needs(Right.SEE)
def list_disagreements() -> str:
    """Pictures that people, or people and folders, have labelled differently."""
    between = request.args.get("between", PEOPLE)
    if between not in BETWEEN:
        raise Invalid(f"between: expected one of {', '.join(BETWEEN)}; got {between!r}.")
    with get_services().db.read() as session:
        found, n = disagreements.list_disagreements(session, between, SHOWN)
    return render_template("labels/disagreements.html", between=between, found=found, n=n)


@pages.get("/labels/twins")
@needs(Right.SEE)
def list_near_duplicates() -> str:
    """Near-duplicates, group by group."""
    path, state = request.args.get("path", "")[:500], read_argument("state", one_of(GROUP_STATES)) or ""
    page = read_argument("page", whole_number(1, paths.LARGEST_PAGE)) or 1
    with get_services().db.read() as session:
        is_decided, skipped = GROUP_STATES.get(state), SHOWN * (page - 1)
        groups, n = near_duplicates.list_groups(session, SHOWN, path, is_decided=is_decided, skipped=skipped)
    return render_template(
        "labels/near_duplicates.html",
        groups=groups,
        n=n,
        page=page,
        n_pages=ceil(n / SHOWN),
        first=skipped + 1,
        shown=MEMBERS_SHOWN,
        done=_batch(),
        batch=uuid4(),
        path=path,
        state=state if state in GROUP_STATES else "",
    )


@pages.post("/labels/twins")
@needs(Right.LABEL)
def label_near_duplicates() -> Response:
    """Label a whole group of near-duplicates, or undo that."""
    try:
        group_id, batch = bytes.fromhex(request.form.get("group", "")), UUID(request.form.get("batch", ""))
    except ValueError:
        raise Invalid("The form has no valid id. Reload its page and try again.") from None
    undo = "undo" in request.form
    with get_services().db.write() as session:
        items = [
            NewLabel(image_id, None, key=uuid5(batch, f"undo {image_id}"), undoes=uuid5(batch, str(image_id)))
            if undo
            else NewLabel(image_id, request.form.get("label", ""), key=uuid5(batch, str(image_id)))
            for image_id in near_duplicates.find_images(session, group_id)
        ]
        n_labels = labels.add_labels(session, current_user_id(), items)
        if n_labels:
            action = Action.LABELS_UNDO if undo else Action.LABELS_ADD
            record(session, current_actor(), action, "near-duplicates", group_id.hex(), n_labels=n_labels)
    if undo:
        return see_other(url_for("label_check_pages.list_near_duplicates", **_group_filter()))
    done: dict[str, Any] = {"batch": str(batch), "group": group_id.hex()}
    return see_other(url_for("label_check_pages.list_near_duplicates", **done, **_group_filter()))


@pages.get("/labels/fit")
@needs(Right.SEE)
def show_fit() -> str:
    """Whether the model still fits: the results of each job, over time."""
    with get_services().db.read() as session:
        fits = drift.list_jobs(session, JOBS_SHOWN)
        n_new = counts.count_since_each(session, {fit.version_id for fit in fits})
    return render_template("labels/fit.html", fits=fits, n_new=n_new)


def _group_filter() -> dict[str, Any]:
    """The filter of the page that sent the form."""
    return {name: value for name in ("path", "state", "page") if (value := request.form.get(name, ""))}


def _batch() -> tuple[str, str] | None:
    """The batch and the group of the last label, which can be undone."""
    batch, group = request.args.get("batch", ""), request.args.get("group", "")
    return (batch, group) if batch and group else None
