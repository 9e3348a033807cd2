"""Starting a training from a page: choose pictures, see what is in them, set parameters, start.

    /train ─► /train/new?upload=…&upload=… (or data=all) ─► POST /train/new ─► the job's page

Each step is a form of its own that works without JavaScript; only sending a folder needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from core.base.errors import Invalid
from core.cleanup import deletion
from core.evaluation import unbiased_labels
from core.jobs import jobs
from core.labels import sources
from core.labels.sources import LabelledUpload
from core.models import registry
from core.models.version_choices import VersionChoices
from core.training import progress, training_jobs
from core.training.datasets import Dataset
from core.training.splits import Split
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.redirects import see_other
from web.pages.common import training_fields
from web.pages.training import form
from web.pages.training import methods as training_ways
from web.pages.training.form import WHOLE_FORM, TrainingForm

pages = Blueprint("training_pages", __name__)

UPLOADS_SHOWN = 12
EVERYTHING = "all"
MAX_CHOSEN = 1000


@dataclass(frozen=True)
class TrainingSelection:
    """The pictures to learn from: uploads by id, or everything labelled (`uuids` None)."""

    uuids: list[UUID] | None

    @classmethod
    def from_request(cls) -> "TrainingSelection":
        """From the address or the form.

        Raises:
            Invalid: Something that is no id was sent.
        """
        if request.values.get("data") == EVERYTHING:
            return cls(None)
        return cls(_uuids(request.values.getlist("upload")))

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was chosen."""
        return self.uuids == []

    def fields(self) -> list[tuple[str, str]]:
        """Names and values that carry this choice through a form or an address."""
        return [("data", EVERYTHING)] if self.uuids is None else [("upload", str(uuid)) for uuid in self.uuids]


@dataclass(frozen=True)
class TrainingPreview:
    """What the second page shows beside what was typed."""

    found: Dataset
    uploads: list[LabelledUpload]
    offered: VersionChoices
    ways: dict[str, dict[str, str]]
    unused: list[UUID]
    n_doubtful: int

    @property
    def n_training(self) -> int:
        """Pictures of the training part: the defaults depend on it."""
        return self.found.by_part.get(Split.TRAINING, 0)


@pages.get("/train")
def choose_training_data() -> str:
    """The first step: which uploads to learn from, or a folder to send."""
    return _show_choice(_uuids(request.args.getlist("upload")))


@pages.get("/train/new")
def prepare_training() -> str | tuple[str, int]:
    """The second step: what is in the chosen pictures, and how to train on them."""
    if again := request.args.get("again"):
        return _show_again(_uuids([again])[0])
    chosen = TrainingSelection.from_request()
    if chosen.is_nothing:
        return _show_choice([], is_missing=True), 422
    with get_services().db.read() as session:
        typed = TrainingForm.from_address(request, registry.network_to_train(session))
        return _show_form(_prepare(session, chosen), chosen, typed)


@pages.post("/train/new")
def start_training() -> Response | str | tuple[str, int]:
    """Start what the form says; when something is wrong, the form again with a sentence beside each such field."""
    chosen, typed = TrainingSelection.from_request(), TrainingForm.from_request(request)
    if chosen.is_nothing:
        return _show_choice([], is_missing=True), 422
    services = get_services()
    with services.db.read() as session:
        prepared = _prepare(session, chosen)
        checked = form.check(session, typed, prepared.n_training)
    if checked.wrong or prepared.found.problem or "look" in request.form:
        return _show_form(prepared, chosen, checked), 200 if "look" in request.form else 422
    try:
        job_uuid = _start(chosen, checked)
    except Invalid as error:  # the pictures, or the name
        return _show_form(prepared, chosen, TrainingForm(typed.values, {WHOLE_FORM: error.message})), 422
    return see_other(url_for("job_pages.show_job", uuid=job_uuid))


@pages.post("/train/remove")
def remove_pictures() -> Response:
    """Delete uploads that nothing can be learned from, and that no job needs."""
    with get_services().db.write() as session:
        for uuid in _uuids(request.form.getlist("upload")):
            deletion.delete_upload(session, uuid)
    return see_other(url_for("training_pages.choose_training_data"))


def _start(chosen: TrainingSelection, typed: TrainingForm) -> UUID:
    services = get_services()
    uuid = _uuids([request.form.get("id", "") or str(uuid4())])[0]
    name = request.form.get("name", "").strip() or None
    with services.db.write() as session:
        job = training_jobs.create_training_job(session, uuid, typed.given, chosen.uuids, current_user_id(), name)
        job_id = job.id
    services.tasks.send_trainings([job_id])
    return uuid


def _show_choice(chosen: Sequence[UUID], is_missing: bool = False) -> str:
    cursor = request.args.get("cursor")
    with get_services().db.read() as session:
        page = sources.list_labelled(session, cursor, UPLOADS_SHOWN)
        here = {upload.uuid for upload in page.items}
        first = sources.find_uploads(session, [uuid for uuid in chosen if uuid not in here])
    return render_template(
        "training/choose_pictures.html",
        uploads=[*first, *page.items],
        chosen=set(chosen),
        next=page.next,
        is_first_page=cursor is None,
        is_missing=is_missing,
    )


def _show_again(job_uuid: UUID) -> str:
    """The form with everything as in an earlier training, as far as it is still there."""
    with get_services().db.read() as session:
        job = jobs.get_job(session, job_uuid)
        parameters = progress.describe_training(session, job).parameters
        learned_from = sources.list_trained_on(session, job)
        left = [upload.uuid for upload in learned_from if upload.deleted_at is None]
        chosen = TrainingSelection(left if learned_from else None)
        if not chosen.is_nothing:
            return _show_form(_prepare(session, chosen), chosen, TrainingForm.from_parameters(parameters))
    return _show_choice([], is_missing=True)


def _prepare(session: Session, chosen: TrainingSelection) -> TrainingPreview:
    found = training_jobs.preview_data(session, chosen.uuids)
    return TrainingPreview(
        found,
        sources.find_uploads(session, chosen.uuids or []),
        form.offer_starts(session),
        {network: training_ways.describe_methods(session, network, found) for network in training_fields.trainable()},
        deletion.find_unused(session, chosen.uuids or []) if found.problem else [],
        unbiased_labels.count_biased(session, {one.sha256: one.label for one in found.contents}),
    )


def _show_form(prepared: TrainingPreview, chosen: TrainingSelection, typed: TrainingForm) -> str:
    return render_template(
        "training/form.html",
        found=prepared.found,
        uploads=prepared.uploads,
        offered=prepared.offered,
        ways=prepared.ways,
        unused=prepared.unused,
        n_doubtful=prepared.n_doubtful if 2 * prepared.n_doubtful > len(prepared.found.contents) else 0,
        chosen=chosen,
        typed=typed,
        anything=typed.wrong.get(WHOLE_FORM),
        networks=form.network_options(prepared.n_training),
        augmentations=training_fields.augmentations(),
        number_fields=form.number_fields(prepared.n_training),
        n_training=prepared.n_training,
        job_id=request.form.get("id") or uuid4(),
        name=request.form.get("name", ""),
    )


def _uuids(texts: Sequence[str]) -> list[UUID]:
    if len(texts) > MAX_CHOSEN:
        raise Invalid(f"Expected at most {MAX_CHOSEN} uploads; got {len(texts)}. Choose everything labelled instead.")
    try:
        return list(dict.fromkeys(UUID(text) for text in texts))
    except ValueError:
        raise Invalid("This address names something that is no upload. Choose the pictures again.") from None
