"""Pages of model versions: the list, a version's card, promotion, the history.

All of them are plain forms and links without JavaScript.
"""

from uuid import uuid4

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import accounts
from core.accounts.rights import Right
from core.base.errors import BadWeights, Conflict, Invalid
from core.base.network_catalog import CLASSES
from core.base.states import JobKind
from core.cleanup import deletion
from core.evaluation import (
    decoding_change,
    evaluation_jobs,
    predictions,
    promotion_check,
    unbiased_labels,
)
from core.evaluation.predictions import PredictionFilter
from core.labels import counts
from core.models import conversions, deployment, promised_thresholds, registry
from core.models.version_choices import offer_versions
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.training import training_jobs
from core.training.parameters import HEAD
from web.http import paths
from web.http.context import get_services
from web.http.paths import VERSION
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.models import version_list
from web.pages.models.card import ModelCard, metric_facts

pages = Blueprint("model_pages", __name__)

WORST_SHOWN = 50
VERSIONS_SHOWN = 30
DEPLOYMENTS_SHOWN = 50


@pages.get("/models")
@needs(Right.SEE)
def list_models() -> str:
    """All versions, newest first, and which one is in use."""
    return _list_models()


@pages.post(f"/models/{VERSION}/promote")
@needs(Right.MODELS)
def promote_model(version: int) -> Response | tuple[str, int]:
    """Use a version for new jobs; ask first if it is worse, or was compared on few pictures."""
    services = get_services()
    with services.db.read() as session:
        check = promotion_check.check_promotion(session, registry.get_version(session, version))
    if check.warning is not None and request.form.get("instead_of", type=int) != check.in_use:
        return see_other(url_for("model_pages.confirm_promote_model", version=version))
    try:
        deployment.promote(services.db, services.blobs, current_actor(), version)
    except BadWeights as error:
        return _list_models(error.message), 409
    return see_other(url_for("model_pages.list_models"))


@pages.get(f"/models/{VERSION}/promote")
@needs(Right.MODELS)
def confirm_promote_model(version: int) -> str:
    """Ask before a version is promoted, with both versions on the same pictures."""
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
        check = promotion_check.check_promotion(session, row)
        in_use = None if check.in_use is None else ModelCard(registry.get_version(session, check.in_use))
    return render_template("models/promote.html", card=ModelCard(row), in_use=in_use, check=check)


@pages.post("/models/rollback")
@needs(Right.MODELS)
def roll_back_model() -> Response | tuple[str, int]:
    """Restore the version that was in use before the one that the page showed."""
    services = get_services()
    shown = request.form.get("in_use", type=int)
    try:
        deployment.roll_back(services.db, services.blobs, current_actor(), shown)
    except (BadWeights, Conflict) as error:
        return _list_models(error.message), 409
    return see_other(url_for("model_pages.list_models"))


@pages.post(f"/models/{VERSION}/judge")
@needs(Right.SEND)
def evaluate_model(version: int) -> Response | tuple[str, int]:
    """Evaluate a version on the test split; leads to the page of the job."""
    services = get_services()
    try:
        with services.db.write() as session:
            job = evaluation_jobs.create_evaluation_job(session, current_actor(), version)
            job_id, uuid = job.id, job.uuid
    except Invalid as error:
        return _show_model(version, error.message), 422
    services.tasks.send_trainings([job_id])
    return see_other(url_for("job_pages.show_job", uuid=uuid))


@pages.post("/models/evaluate")
@needs(Right.SEND)
def evaluate_models() -> Response | tuple[str, int]:
    """Evaluate several versions; leads to the list of jobs, or to the page of the only one."""
    services = get_services()
    numbers = request.form.getlist("version", type=paths.version_number)[:VERSIONS_SHOWN]
    try:
        with services.db.write() as session:
            jobs = [evaluation_jobs.create_evaluation_job(session, current_actor(), number) for number in numbers]
            job_ids, uuids = [job.id for job in jobs], [job.uuid for job in jobs]
    except Invalid as error:
        return _list_models(error.message), 422
    services.tasks.send_trainings(job_ids)
    if len(uuids) == 1:
        return see_other(url_for("job_pages.show_job", uuid=uuids[0]))
    return see_other(url_for("job_pages.list_jobs"))


@pages.post(f"/models/{VERSION}/train")
@needs(Right.SEND)
def train_head(version: int) -> Response | tuple[str, int]:
    """Train a new head for a version on everything labelled; leads to the page of the job."""
    services = get_services()
    try:
        with services.db.write() as session:
            row = registry.find_trained(session, registry.get_version(session, version))
            given = {"network": row.network, "start_from": row.id, "what": HEAD}
            job = training_jobs.create_training_job(session, current_actor(), uuid4(), given, None)
            job_id, uuid = job.id, job.uuid
    except Invalid as error:
        return _show_model(version, error.message), 422
    services.tasks.send_trainings([job_id])
    return see_other(url_for("job_pages.show_job", uuid=uuid))


@pages.get(f"/models/{VERSION}/delete")
@needs(Right.MODELS)
def confirm_delete_model(version: int) -> str:
    """Ask before a version is deleted."""
    with get_services().db.read() as session:
        card = ModelCard(registry.get_version(session, version))
    return render_template("models/delete.html", card=card)


@pages.post(f"/models/{VERSION}/delete")
@needs(Right.MODELS)
def delete_model(version: int) -> Response | tuple[str, int]:
    """Delete a version that is not needed."""
    services = get_services()
    try:
        with services.db.write() as session:
            deletion.delete_version(session, current_actor(), version)
    except Conflict as error:
        return _list_models(error.message), 409
    services.tasks.send_purge()
    return see_other(url_for("model_pages.list_models"))


@pages.get(f"/models/{VERSION}")
@needs(Right.SEE)
def show_model(version: int) -> str:
    """The page of a version: its card, its metrics here, its worst errors."""
    return _show_model(version)


@pages.get(f"/models/{VERSION}/card.<any(html, md):kind>")
@needs(Right.SEE)
def download_card(version: int, kind: str) -> Response:
    """The model card as a file, to share with the weights."""
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
        teacher = registry.find_teacher(session, row)
        card = ModelCard(row, conversion=conversions.find(session, version), teacher=teacher)
    text = render_template(f"models/card.{kind}", card=card)
    response = Response(text, mimetype="text/html" if kind == "html" else "text/markdown")
    response.headers["Content-Disposition"] = f'attachment; filename="model-card-{version}.{kind}"'
    return response


@pages.get("/deployments")
@needs(Right.SEE)
def list_deployments() -> str:
    """Which version was in use since when, and who promoted it; newest first."""
    with get_services().db.read() as session:
        cursor = request.args.get("cursor") or None
        page, names = registry.page_deployments(session, cursor, DEPLOYMENTS_SHOWN), accounts.list_names(session)
        named = ModelVersion.id.in_({line.model_version_id for line in page.items})
        versions = {version.id: version for version in session.scalars(select(ModelVersion).where(named))}
        in_use = registry.find_in_use(session)
        n_new = counts.count_since_training(session, in_use) if in_use else 0
    return render_template(
        "models/deployments.html",
        lines=page.items,
        next=page.next,
        is_first_page=cursor is None,
        names=names,
        versions=versions,
        n_new=n_new,
    )


def _list_models(problem: str = "") -> str:
    cursor = request.args.get("cursor") or None
    with get_services().db.read() as session:
        page = registry.page_versions(session, cursor, VERSIONS_SHOWN)
        in_use, versions = registry.find_in_use(session), page.items
        if in_use is not None:  # it comes before all others, on the first page only
            first = [registry.get_version(session, in_use)] if cursor is None else []
            versions = first + [version for version in versions if version.id != in_use]
        back = registry.find_rollback(session)
        rows = version_list.list_rows(session, versions, in_use)
    return render_template(
        "models/list.html",
        rows=rows,
        outdated=[row.card.version.id for row in rows if row.is_outdated],
        next=page.next,
        is_first_page=cursor is None,
        in_use=in_use,
        back=back.model_version_id if back else None,
        problem=problem,
    )


def _show_model(version: int, problem: str = "") -> str:
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
        figures = predictions.measure_version(session, row)
        worst = predictions.list_predictions(session, row.id, PredictionFilter(sort="error"), None, WORST_SHOWN)
        return render_template(
            "models/model.html",
            card=ModelCard(
                row, conversion=conversions.find(session, row.id), teacher=registry.find_teacher(session, row)
            ),
            n_new=counts.count_since_training(session, row.id),
            in_use=registry.find_in_use(session),
            check=promotion_check.check_promotion(session, row),
            is_shipped=registry.is_shipped(row),
            figures=figures,
            n_doubtful=unbiased_labels.count_biased(session, unbiased_labels.find_common(session, row.id)),
            facts=list(metric_facts(figures)),
            promised=promised_thresholds.list_promised(row),
            worst=[one for one in worst.items if one.label != one.predicted],
            evaluation_job=predictions.find_job(session, row.id),
            is_outdated=bool(decoding_change.find_outdated(session, [row.id])),
            change=decoding_change.find_change(session, row.id),
            training=_find_training(session, row),
            offered=offer_versions(session),
            classes=CLASSES,
            problem=problem,
        )


def _find_training(session: Session, version: ModelVersion) -> Job | None:
    """The training that produced this version, if it still exists."""
    made = select(Job).where(Job.kind == JobKind.TRAIN, Job.model_version_id == version.id, Job.deleted_at.is_(None))
    return session.scalar(made.order_by(Job.id).limit(1))
