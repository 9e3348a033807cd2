"""Training jobs: what they would learn from, what they refuse, and the rows they begin as.

    uploads ─► their dataset ─► checked parameters ─► a job, queued, with its training

Who works on them: core/training/claims.py; how far they are: core/training/progress.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base import names
from core.base.errors import Conflict, Gone, IdTaken, Invalid
from core.base.network_catalog import TRAINABLE
from core.base.states import ACTIVE_STATES, JobKind, JobState, UploadState
from core.jobs import job_states, jobs
from core.labels import folder_labels
from core.models import registry
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training, TrainingUpload
from core.orm.uploads import Upload
from core.training import datasets
from core.training.datasets import Dataset
from core.training.parameters import HEAD, Parameters, choose_parameters
from core.training.splits import Split
from core.uploads import uploads

EVERYTHING = "Everything labelled"


def preview_data(session: Session, actor: Actor, upload_uuids: Sequence[UUID] | None) -> Dataset:
    """What a training on these uploads would find; None for everything that anybody labelled.

    Raises:
        NotFound, Gone: An upload is not there.
        Conflict: An upload is still arriving.
        Forbidden: The labels of somebody else's upload do not count yet.
        Invalid: The list is empty.
    """
    chosen = _choose_uploads(session, actor, upload_uuids)
    return datasets.find_labelled(session, None if chosen is None else [upload.id for upload in chosen])


def check_parameters(session: Session, given: Mapping[str, Any], n_training: int) -> Parameters:
    """Check what a training is told and fill in the rest.

    Args:
        given: As `choose_parameters` takes it.
        n_training: Pictures in the training split, on which the defaults depend.
    Raises:
        Invalid: A sentence for each wrong value, or the version to start from does not fit.
        NotFound: There is no such version.
    """
    network = given.get("network") or registry.network_to_train(session)
    parameters = choose_parameters({**given, "network": network}, n_training)
    if parameters.start_from is None and parameters.what == HEAD:
        parameters = replace(parameters, start_from=find_start(session, parameters.network))
    elif parameters.start_from is None and TRAINABLE[parameters.network].plan.only_last_layers:
        # The other layers have to come from somewhere: from the newest version of the network.
        parameters = replace(parameters, start_from=registry.find_version(session, parameters.network).id)
    elif parameters.start_from is not None:
        start = registry.find_trained(session, registry.get_version(session, parameters.start_from))
        _check_start(start, parameters)
        parameters = replace(parameters, start_from=start.id)
    return parameters


def create_training_job(
    session: Session,
    actor: Actor,
    uuid: UUID,
    given: Mapping[str, Any],
    upload_uuids: Sequence[UUID] | None,
    name: str | None = None,
    labels_since: datetime | None = None,
) -> Job:
    """Create a job that trains a network; repeating it under the same id is harmless.

    The labels of its uploads' folders count from now on.

    Args:
        uuid: The caller's id for the job.
        given: Parameters by name, as `choose_parameters` takes them.
        upload_uuids: The uploads to learn from; None for everything that anybody labelled.
        name: What it is called; after its uploads when not given.
        labels_since: Leave out pictures without a label since then.
    Raises:
        Invalid: Parameters or data are such that training would fail or teach nothing; a sentence for each reason.
        NotFound, Gone, Conflict: An upload or a version is not there, or a job has this id.
        Forbidden: The id is that of somebody else's job, or the labels of somebody else's upload do not count yet.
    """
    if session.scalar(select(Job.id).where(Job.uuid == uuid)) is not None:
        return _same_job(session, actor, uuid)
    chosen = _choose_uploads(session, actor, upload_uuids, lock=True)
    dataset = datasets.find_labelled(session, None if chosen is None else [one.id for one in chosen], labels_since)
    parameters = check_parameters(session, given, dataset.by_part[Split.TRAINING])
    if dataset.problem is not None:
        raise Invalid(dataset.problem)
    called = _choose_name(name, chosen or ())
    job = Job(uuid=uuid, kind=JobKind.TRAIN, name=called, state=JobState.QUEUED, user_id=actor.user_id)
    if not jobs.insert_job(session, job):
        return _same_job(session, actor, uuid)
    session.add(
        Training(job_id=job.id, parameters=parameters.to_dict(), labels_since=labels_since, found=dataset.summary())
    )
    session.add_all(TrainingUpload(job_id=job.id, upload_id=upload.id) for upload in chosen or ())
    folder_labels.start_counting(session, actor, chosen or ())
    session.flush()
    session.refresh(job)
    return job


def keep_best(session: Session, actor: Actor, uuid: UUID) -> Job:
    """End a training early with its best epoch as a version: the current epoch is dropped, the best one is evaluated.

    Before the first epoch has ended there is nothing to keep; the job is then cancelled.

    Raises:
        Forbidden, NotFound, Gone: As `jobs.get_own_job`.
        Invalid: The job is no training.
        Conflict: It has ended.
    """
    job = jobs.get_own_job(session, actor, uuid)
    if job.kind != JobKind.TRAIN:
        raise Invalid(f"keep_best: only a training has epochs; job {uuid} is of the kind {job.kind}. Leave it out.")
    training = session.get_one(Training, job.id)
    if job.state not in ACTIVE_STATES or training.state_key is None:
        return job_states.cancel_job(session, actor, uuid)
    training.keeps_best = True
    job.revision += 1
    session.flush()
    return job


def _choose_name(name: str | None, chosen: Sequence[Upload]) -> str:
    return names.check_name(names.shorten_name(name or ", ".join(upload.name for upload in chosen) or EVERYTHING))


def _same_job(session: Session, actor: Actor, uuid: UUID) -> Job:
    job = jobs.check_own(actor, jobs.get_job(session, uuid))
    if job.kind != JobKind.TRAIN:
        raise IdTaken(f"Job {uuid} exists and classifies. Choose a new id for the training.")
    return job


def _choose_uploads(
    session: Session, actor: Actor, uuids: Sequence[UUID] | None, lock: bool = False
) -> list[Upload] | None:
    if uuids is None:
        return None
    if not uuids:
        raise Invalid('data: expected the ids of one or more uploads, or "all" for everything labelled; got none.')
    chosen = sorted((_get_upload(session, uuid) for uuid in set(uuids)), key=lambda upload: upload.id)
    if lock:
        chosen = [uploads.get_upload(session, upload.uuid, lock=True) for upload in chosen]
    for upload in chosen:
        if upload.state != UploadState.COMPLETE:
            raise Conflict(f"Upload {upload.uuid} is still arriving. Complete it first, then train on it.")
    folder_labels.check_may_count(session, actor, chosen)
    return chosen


def _get_upload(session: Session, uuid: UUID) -> Upload:
    try:
        return uploads.get_upload(session, uuid)
    except Gone as error:
        raise Gone(f"Upload {uuid}, which the training uses, has been deleted. Choose others.") from error


def find_start(session: Session, network: str) -> int:
    """The version in use, or its teacher, when it is of this network, else the newest of the network."""
    in_use = registry.find_trained(session, registry.current_version(session))
    return in_use.id if in_use.network == network else registry.find_version(session, network).id


def _check_start(version: ModelVersion, parameters: Parameters) -> None:
    """See that the version to start from is of the same network and input."""
    network = TRAINABLE[parameters.network]
    if version.network != network.name:
        raise Invalid(
            f"start_from: version {version.id} is one of {version.network}, but the training is of {network.name}."
            f" Choose a version of {network.name}, or train {version.network}."
        )
    if version.manifest["side_px"] != network.side_px:
        raise Invalid(
            f"start_from: version {version.id} takes pictures of {version.manifest['side_px']} px, and {network.name}"
            f" takes {network.side_px} px. Choose another version, or train from scratch."
        )
