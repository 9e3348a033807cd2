"""Start a training: choose pictures, see a summary of them, set parameters, start.

    /train ─► /train/new?upload=…&upload=… (or data=all) ─► POST /train/new ─► the job's page

Each step is a form that works without JavaScript; only uploading a folder needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.errors import Invalid
from core.cleanup import deletion
from core.evaluation import unbiased_labels
from core.jobs import jobs
from core.labels import labelled_uploads
from core.labels.labelled_uploads import LabelledUpload
from core.models.version_choices import VersionChoices
from core.training import progress, training_jobs
from core.training.datasets import Dataset
from core.training.splits import Split
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.common import training_fields
from web.pages.training import form, methods
from web.pages.training.form import WHOLE_FORM, TrainingForm

pages = Blueprint("training_pages", __name__)

UPLOADS_SHOWN = 12
EVERYTHING = "all"
MAX_CHOSEN = 1000


@dataclass(frozen=True)
class TrainingSelection:
    """The pictures to train on: uploads by id, or everything labelled if `uuids` is None."""

    uuids: list[UUID] | None

    @classmethod
    def from_request(cls) -> "TrainingSelection":
        """Read the selection from the address or the form.

        Raises:
            Invalid: A value is not an id.
        """
        if request.values.get("data") == EVERYTHING:
            return cls(None)
        return cls(_uuids(request.values.getlist("upload")))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return self.uuids == []

    def fields(self) -> list[tuple[str, str]]:
        """Names and values of this selection for a form or an address."""
        return [("data", EVERYTHING)] if self.uuids is None else [("upload", str(uuid)) for uuid in self.uuids]


@dataclass(frozen=True)
class TrainingPreview:
    """The training data and methods that the second page shows."""

    dataset: Dataset
    uploads: list[LabelledUpload]
    offered: VersionChoices
    methods: dict[str, dict[str, str]]
    unused: list[UUID]
    n_doubtful: int

    @property
    def n_training(self) -> int:
        """The number of training pictures, which the defaults depend on."""
        return self.dataset.by_part.get(Split.TRAINING, 0)


@pages.get("/train")
@needs(Right.SEND)
def choose_training_data() -> str:
    """The first step: choose uploads to train on, or upload a folder."""
    return _show_choice(_uuids(request.args.getlist("upload")))


@pages.get("/train/new")
@needs(Right.SEND)
def prepare_training() -> str | tuple[str, int]:
    """The second step: a summary of the pictures, and the parameters."""
    if again := request.args.get("again"):
        return _show_again(_uuids([again])[0])
    selection = TrainingSelection.from_request()
    if selection.is_empty:
        return _show_choice([], is_missing=True), 422
    with get_services().db.read() as session:
        typed = TrainingForm.from_address(request, session)
        return _show_form(_prepare(session, selection), selection, typed)


@pages.post("/train/new")
@needs(Right.SEND)
def start_training() -> Response | str | tuple[str, int]:
    """Start the training, or show the form again with its errors."""
    selection, typed = TrainingSelection.from_request(), TrainingForm.from_request(request)
    if selection.is_empty:
        return _show_choice([], is_missing=True), 422
    services = get_services()
    with services.db.read() as session:
        preview = _prepare(session, selection)
        checked = form.check_form(session, typed, preview.n_training)
    if checked.errors or preview.dataset.problem or "look" in request.form:
        return _show_form(preview, selection, checked), 200 if "look" in request.form else 422
    try:
        job_uuid = _start(selection, checked)
    except Invalid as error:  # the pictures, or the name
        return _show_form(preview, selection, TrainingForm(typed.values, {WHOLE_FORM: error.message})), 422
    return see_other(url_for("job_pages.show_job", uuid=job_uuid))


@pages.post("/train/remove")
@needs(Right.SEND, own=True)
def remove_pictures() -> Response:
    """Delete uploads that are useless for training and that no job needs."""
    with get_services().db.write() as session:
        for uuid in _uuids(request.form.getlist("upload")):
            deletion.delete_upload(session, current_actor(), uuid)
    return see_other(url_for("training_pages.choose_training_data"))


def _start(selection: TrainingSelection, typed: TrainingForm) -> UUID:
    services = get_services()
    uuid = _uuids([request.form.get("id", "") or str(uuid4())])[0]
    name = request.form.get("name", "").strip() or None
    with services.db.write() as session:
        job = training_jobs.create_training_job(session, current_actor(), uuid, typed.parameters, selection.uuids, name)
        job_id = job.id
    services.tasks.send_trainings([job_id])
    return uuid


def _show_choice(chosen: Sequence[UUID], is_missing: bool = False) -> str:
    cursor = request.args.get("cursor")
    with get_services().db.read() as session:
        page = labelled_uploads.list_labelled(session, current_actor(), cursor, UPLOADS_SHOWN)
        here = {upload.uuid for upload in page.items}
        first = labelled_uploads.find_uploads(session, [uuid for uuid in chosen if uuid not in here])
    return render_template(
        "training/choose_pictures.html",
        uploads=[*first, *page.items],
        chosen=set(chosen),
        next=page.next,
        is_first_page=cursor is None,
        is_missing=is_missing,
    )


def _show_again(job_uuid: UUID) -> str:
    """The form with the settings and the remaining pictures of an earlier training."""
    with get_services().db.read() as session:
        job = jobs.get_job(session, job_uuid)
        parameters = progress.describe_training(session, job).parameters
        trained_on = labelled_uploads.list_trained_on(session, job)
        left = [upload.uuid for upload in trained_on if upload.deleted_at is None]
        selection = TrainingSelection(left if trained_on else None)
        if not selection.is_empty:
            return _show_form(_prepare(session, selection), selection, TrainingForm.from_parameters(parameters))
    return _show_choice([], is_missing=True)


def _prepare(session: Session, selection: TrainingSelection) -> TrainingPreview:
    dataset = training_jobs.preview_data(session, current_actor(), selection.uuids)
    return TrainingPreview(
        dataset,
        labelled_uploads.find_uploads(session, selection.uuids or []),
        form.offer_starts(session),
        {network: methods.describe_methods(session, network, dataset) for network in training_fields.trainable()},
        deletion.find_unused(session, current_actor(), selection.uuids or []) if dataset.problem else [],
        unbiased_labels.count_biased(session, {one.sha256: one.label for one in dataset.contents}),
    )


def _show_form(preview: TrainingPreview, selection: TrainingSelection, typed: TrainingForm) -> str:
    return render_template(
        "training/form.html",
        dataset=preview.dataset,
        uploads=preview.uploads,
        offered=preview.offered,
        methods=preview.methods,
        unused=preview.unused,
        n_doubtful=preview.n_doubtful if 2 * preview.n_doubtful > len(preview.dataset.contents) else 0,
        selection=selection,
        form=typed,
        form_error=typed.errors.get(WHOLE_FORM),
        networks=form.network_options(preview.n_training),
        augmentations=training_fields.augmentations(),
        number_fields=form.number_fields(preview.n_training),
        n_training=preview.n_training,
        job_id=request.form.get("id") or uuid4(),
        name=request.form.get("name", ""),
    )


def _uuids(texts: Sequence[str]) -> list[UUID]:
    if len(texts) > MAX_CHOSEN:
        raise Invalid(f"Expected at most {MAX_CHOSEN} uploads; got {len(texts)}. Use everything labelled instead.")
    try:
        return list(dict.fromkeys(UUID(text) for text in texts))
    except ValueError:
        raise Invalid("This address contains an invalid upload id. Choose the pictures again.") from None
