"""One training: claim, read, train epoch by epoch, evaluate, and make a version.

    claim ─► samples ─► pixels ─► epochs: state as a blob, then the row ─► evaluate ─► weights as a blob, then a version
      │        │          │          │                                        │
     None   Invalid    Invalid   TrainingStopped: cancelled, or lost        LeaseLost: discard

After a kill at any point, the next claim resumes after the last row: an epoch and the blob from which training resumes
are recorded together. No transaction is open while images are decoded or networks run.
"""

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.accounts import accounts
from core.base.database import is_away
from core.base.errors import DiskFull, LeaseLost, PawsortError, Refused, Unavailable
from core.base.leases import RETRY_S
from core.base.states import JobKind
from core.decoding.pool.decoder_pool import processors
from core.evaluation import evaluation_jobs
from core.messaging.broker import TRAINING
from core.models import conversions, registry
from core.operations.backup.holds import is_backup_running
from core.operations.metrics import LEASES
from core.training import claims
from core.training.claims import Claim
from core.training.parameters import HEAD, Parameters
from core.training.splits import Split
from model.evaluation.version_evaluation import EvaluationImages, ThresholdRule, complete_manifest
from model.inference import devices
from model.inference.classifier import Classifier
from model.training.trainer import Trainer
from worker.process.keep_trying import keep_trying
from worker.process.runtime import Runtime
from worker.training.checkpoint import BestEpoch, Checkpoint
from worker.training.conversion import convert_trained
from worker.training.dataset import find_samples, read_pixels
from worker.training.decoded_images import DecodedImages
from worker.training.evaluation import evaluate_new_version, evaluate_version
from worker.training.label_quality import check_label_quality
from worker.training.pixel_store import PixelStore, free_bytes
from worker.training.train_head import fit_head
from worker.training.trainer_setup import input_sides_of, set_up_trainer
from worker.training.training_lease import StopWithBest, TrainingLease, TrainingStopped
from worker.training.version_manifest import TRAINED, NewVersion, origin_of, plain_manifest

log = structlog.get_logger()

_WORK: dict[str, Callable[[Runtime, Claim, TrainingLease], None]] = {
    JobKind.EVALUATE: evaluate_version,
    JobKind.LABEL_QUALITY: check_label_quality,
}
SHORT_OF_MEMORY = "Memory ran out while training. Choose a smaller batch size or fewer pictures, or end other programs."


def train(runtime: Runtime, job_id: int) -> None:
    """Do a training, evaluation or label quality job unless another worker does. A repeated message is harmless."""
    with runtime.db.read() as session:
        if not claims.is_waiting(session, job_id):
            return
        job_id = claims.find_first(session) or job_id
        trains_layers = claims.trains_layers(session, job_id)
    if trains_layers:
        import keras  # noqa: F401 - takes seconds, during which a job that is already claimed could not be cancelled

        devices.set_up()
    with runtime.db.write() as session:
        worker_id = runtime.heartbeat.worker_id if runtime.heartbeat else None
        claim = claims.claim_training(session, job_id, worker_id, runtime.settings.lease_s)
    if claim is None:
        return
    if claim.is_taken_over:
        runtime.meter.count(LEASES, queue=TRAINING)
    structlog.contextvars.bind_contextvars(job_id=claim.job_id)
    try:
        with TrainingLease(runtime.db, claim, runtime.settings.lease_s) as lease:
            _WORK.get(claim.kind, _train)(runtime, claim, lease)
    except (TrainingStopped, LeaseLost):
        log.info("training_stopped", job_id=job_id, fence=claim.fence)
    except Refused as error:  # a setting to correct
        log.warning("setting_refused", job_id=job_id, reason=error.message)
        _fail(runtime, claim, error.message_for_people)
    except (Unavailable, DiskFull) as error:  # for a moment: the job waits, and loses no attempt
        log.warning("training_waits", job_id=job_id, reason=error.message)
        _release(runtime, claim, RETRY_S)
    except PawsortError as error:
        _fail(runtime, claim, error.message)
    except MemoryError:  # must not leave the task: it would end the whole Celery worker
        _fail(runtime, claim, SHORT_OF_MEMORY)
    except Exception as error:  # any other error costs this attempt, not the worker
        if is_away(error):
            log.warning("training_waits", job_id=job_id, reason=str(error))
            return _release(runtime, claim, RETRY_S)
        log.exception("training_failed", job_id=job_id, attempt=claim.attempts)
        with runtime.db.write() as session:
            claims.release_after_error(session, claim)
    except BaseException:  # the worker is stopping: release the lease
        _release(runtime, claim)
        raise


def _fail(runtime: Runtime, claim: Claim, sentence: str) -> None:
    log.warning("training_failed", job_id=claim.job_id, reason=sentence)
    try:
        with runtime.db.write() as session:
            leaves_nothing = claims.fail(session, claim, sentence)
    except LeaseLost as error:
        log.info("training_stopped", job_id=claim.job_id, reason=error.message)
    else:
        if leaves_nothing:
            _delete_blobs(runtime, claim)


def _release(runtime: Runtime, claim: Claim, pause_s: float = 0.0) -> None:
    def release() -> None:
        with runtime.db.write() as session:
            claims.release(session, claim, pause_s)

    try:
        keep_trying(release)
    except SQLAlchemyError as lost:  # then the lease expires instead
        log.warning("release_failed", job_id=claim.job_id, error=str(lost))


def _train(runtime: Runtime, claim: Claim, lease: TrainingLease) -> None:
    with runtime.db.read() as session:
        row = claims.get_training(session, claim)
        parameters, state_key = Parameters(**row.parameters), row.state_key
        if row.keeps_best:  # requested while an earlier worker had the job
            lease.request_best()
        who = accounts.owner_of_job(session, claim.job_id)
        start = registry.get_any(session, parameters.start_from)
    if parameters.what == HEAD:
        return _store_version(runtime, claim, fit_head(runtime, claim, parameters, who, lease))
    store = PixelStore(runtime.settings.data_dir / "cache" / "pixels", free_bytes())
    decoded = DecodedImages(store, input_sides_of(parameters))
    samples = find_samples(runtime, claim, lease, decoded)
    pixels = read_pixels(runtime, claim, samples, decoded, lease)
    lease.report("preparing")
    setup = set_up_trainer(runtime, parameters, pixels, store, lambda: lease.report("preparing"))
    best = _run_epochs(runtime, claim, setup.trainer, parameters, state_key, lease)
    lease.report("judging")
    weights = setup.pack(list(best.weights))
    del setup  # with all its arrays: the evaluation needs the memory
    splits = {str(split): pixels.of_classes(split) for split in (Split.VALIDATION, Split.TEST)}
    images = EvaluationImages(splits, pixels.of_neither(Split.VALIDATION))
    rule = ThresholdRule(TRAINED, known_threshold=float(start.manifest["threshold"]) if start else 0.0)
    plain = plain_manifest(origin_of(parameters, samples, pixels.failed.total(), who), weights)
    converted = convert_trained(plain, weights, pixels, lease)
    manifest = complete_manifest(plain, weights, images, rule, lambda: lease.report("judging"), converted)
    classifier = Classifier(manifest, weights, converted=converted, n_threads=processors())
    predictions = evaluate_new_version(runtime, claim, classifier, samples, lease)
    _store_version(runtime, claim, NewVersion(manifest, weights, converted, predictions))


def _run_epochs(
    runtime: Runtime,
    claim: Claim,
    trainer: Trainer,
    parameters: Parameters,
    state_key: str | None,
    lease: TrainingLease,
) -> BestEpoch:
    """Train the remaining epochs. Returns the epoch with the lowest validation loss."""
    checkpoint = Checkpoint(runtime.blobs, claim.blob_prefix, state_key)
    best = checkpoint.restore(trainer)
    epochs = trainer.epochs(lease.report_step, lease.report_validation)
    while best is None or not _is_over(trainer, best, parameters):
        try:
            epoch = next(epochs)
        except StopWithBest:  # raised only after at least one epoch
            assert best is not None
            break
        if not np.isfinite(epoch.loss + epoch.val_loss):
            raise PawsortError(
                f"The loss became infinite in epoch {epoch.number}: the learning rate of {parameters.learning_rate:g}"
                " is too high for this network. Start another training with a tenth of it."
            )
        if best is None or epoch.val_loss < best.val_loss:
            best = BestEpoch(epoch.number, epoch.val_loss, trainer.weights())
        key = checkpoint.save(trainer, best)
        with runtime.db.write() as session:
            claims.record_epoch(session, claim, asdict(epoch), key)
        lease.report_record()
        if not is_backup_running(runtime.db):
            checkpoint.delete_all_but(key)
    return best


def _is_over(trainer: Trainer, best: BestEpoch, parameters: Parameters) -> bool:
    has_stalled = 0 < parameters.early_stopping <= trainer.n_epochs_done - best.number
    return has_stalled or trainer.n_epochs_done >= parameters.epochs


def _store_version(runtime: Runtime, claim: Claim, new: NewVersion) -> None:
    with runtime.db.read() as session:
        claims.get_training(session, claim)  # so a cancelled job leaves no weights behind
    runtime.blobs.put(registry.weights_key(new.manifest.digest), new.weights)
    if new.converted is not None:
        runtime.blobs.put(registry.weights_key(new.converted.manifest.digest), new.converted.flatbuffer)
    document, predictions = json.loads(new.manifest.to_json()), new.predictions
    with runtime.db.write() as session:
        version_id = evaluation_jobs.finish_training(
            session, claim, document, predictions.of_new, predictions.of_others
        ).id
        if new.converted is not None:
            conversions.add(session, version_id, new.converted.manifest.to_dict())
    _delete_blobs(runtime, claim)
    log.info("version_made", job_id=claim.job_id, version=version_id, n_judged=len(predictions.of_new))


def _delete_blobs(runtime: Runtime, claim: Claim) -> None:
    """Delete the blobs from which the training would have resumed; those that a backup may need become orphans."""
    if not is_backup_running(runtime.db):
        runtime.blobs.remove_all(claim.blob_prefix)
