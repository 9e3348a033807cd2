"""The parameters of each kind of schedule: checked at once, one sentence for each wrong value, the rest filled in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.base.errors import Conflict, Gone, Invalid, NotFound
from core.base.manifest import metrics_of
from core.base.network_catalog import DEFAULT_TRAINED
from core.base.states import ScheduleKind, UploadState
from core.evaluation import predictions, promotion_gate
from core.models import registry
from core.storage import allowed_roots
from core.training.parameters import choose_parameters
from core.training.splits import Split
from core.uploads import uploads

IN_USE, ANEW = "in_use", "anew"
KEEP, PROMOTE = "keep", "promote"
MAX_UPLOADS = 1000
MAX_WHOLE = 2**31 - 1
MAX_BYTES = 2**60
MAX_DAYS = 36_500
MAX_BACKUPS = 1000

DEFAULTS: dict[ScheduleKind, dict[str, Any]] = {
    ScheduleKind.RETRAIN: {
        "network": DEFAULT_TRAINED,
        "start_from": IN_USE,
        "uploads": None,
        "labels_since": None,
        "min_new_labels": 1,
        "training": {},
        "outcome": KEEP,
        "min_gain": 0.005,
        "max_p": 0.05,
        "max_class_loss": 0.02,
    },
    ScheduleKind.CLASSIFY: {"source": "", "model": None, "threshold": None, "labelled": False},
    ScheduleKind.CLEAN_UP: {"older_than_days": None, "below_bytes": None, "keep_labelled": True},
    ScheduleKind.BACK_UP: {"keep_daily": 7, "keep_weekly": 4},
}


def check_parameters(
    session: Session, kind: ScheduleKind, given: Mapping[str, Any], roots: Sequence[str]
) -> dict[str, Any]:
    """Check the parameters of a schedule and fill in the rest.

    Args:
        given: Values by name, as in `DEFAULTS`; None means "not given".
        roots: What the operator allows to be read.
    Raises:
        Invalid: A sentence for each wrong value.
    """
    provided = {name: value for name, value in given.items() if value is not None}
    if unknown := sorted(set(provided) - set(DEFAULTS[kind])):
        raise Invalid(
            f"parameters: a schedule that does {kind} has no {', '.join(unknown)}; it has {', '.join(DEFAULTS[kind])}."
        )
    chosen = defaults_of(session, kind) | provided
    match kind:
        case ScheduleKind.RETRAIN:
            wrong = list(_wrong_retrain(session, chosen))
        case ScheduleKind.CLASSIFY:
            wrong = list(_wrong_classify(session, chosen))
        case ScheduleKind.CLEAN_UP:
            wrong = list(_wrong_clean_up(chosen))
        case ScheduleKind.BACK_UP:
            wrong = list(_wrong_back_up(chosen))
    if wrong:
        raise Invalid(" ".join(wrong))
    if kind == ScheduleKind.CLASSIFY:
        chosen["source"] = allowed_roots.check_source(chosen["source"], roots)
    return chosen


def defaults_of(session: Session, kind: ScheduleKind) -> dict[str, Any]:
    """What is filled in for a schedule of a kind; the network to train is that of the version in use, if it can be."""
    own = {"network": registry.network_to_train(session)} if kind == ScheduleKind.RETRAIN else {}
    return DEFAULTS[kind] | own


def parse_since(text: str) -> datetime:
    """The moment from which labels count, as `labels_since` keeps it: a day (its beginning in UTC) or a moment.

    Raises:
        ValueError: It is neither.
    """
    moment = datetime.fromisoformat(text) if len(text) > 10 else datetime.combine(date.fromisoformat(text), _MIDNIGHT)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"expected a moment between the years 1 and 9999 in UTC; got {text}") from None


_MIDNIGHT = datetime.min.time()


def _wrong_retrain(session: Session, chosen: dict[str, Any]) -> Iterator[str]:
    if chosen["start_from"] not in (IN_USE, ANEW):
        yield f"start_from: expected {IN_USE} or {ANEW}; got {chosen['start_from']!r}."
    if chosen["outcome"] not in (KEEP, PROMOTE):
        yield f"outcome: expected {KEEP} or {PROMOTE}; got {chosen['outcome']!r}."
    if not _is_whole(chosen["min_new_labels"], 0, MAX_WHOLE):
        yield f"min_new_labels: expected a whole number from 0 on; got {chosen['min_new_labels']!r}."
    yield from _wrong_training(chosen)
    yield from _wrong_since(chosen["labels_since"])
    yield from _wrong_uploads(session, chosen)
    yield from _wrong_gate(session, chosen)


def _wrong_training(chosen: Mapping[str, Any]) -> Iterator[str]:
    training = chosen["training"]
    if not isinstance(training, dict) or {"network", "start_from"} & training.keys():
        yield "training: expected values by name (epochs, batch_size, …), without network and start_from."
        return
    try:
        choose_parameters(training | {"network": chosen["network"]}, 0)
    except Invalid as error:
        yield error.message


def _wrong_since(since: Any) -> Iterator[str]:
    if since is None:
        return
    try:
        moment = parse_since(since)
    except (ValueError, TypeError):
        yield f"labels_since: expected a day such as 2026-03-01; got {since!r}."
        return
    if moment > datetime.now(UTC):
        yield f"labels_since: {since} is in the future, so there would be nothing to train on."


def _wrong_uploads(session: Session, chosen: dict[str, Any]) -> Iterator[str]:
    if chosen["uploads"] is None:
        return
    try:
        uuids = [UUID(str(one)) for one in chosen["uploads"]]
    except (ValueError, TypeError):
        yield "uploads: expected ids of uploads."
        return
    if not 0 < len(uuids) <= MAX_UPLOADS:
        yield f"uploads: choose 1 to {MAX_UPLOADS} of them, or everything labelled; {len(uuids)} are chosen."
    for uuid in uuids[:MAX_UPLOADS]:
        try:
            if uploads.get_upload(session, uuid).state != UploadState.COMPLETE:
                yield f"uploads: {uuid} is still arriving. Wait until it is complete."
        except NotFound:
            yield f"uploads: there is no upload {uuid}. Choose others, or everything labelled."
        except Gone:
            yield f"uploads: {uuid} has been deleted. Choose others, or everything labelled."
    chosen["uploads"] = sorted({str(uuid) for uuid in uuids})


def _wrong_gate(session: Session, chosen: Mapping[str, Any]) -> Iterator[str]:
    """What the gate asks for must be possible at all."""
    if not _is_number(chosen["min_gain"], 0.0, 1.0):
        yield f"min_gain: expected a share from 0 to 1 (0.005 is half a point); got {chosen['min_gain']!r}."
    elif chosen["outcome"] == PROMOTE and (best := _best_gain(session)) is not None and chosen["min_gain"] > best[1]:
        yield (
            f"min_gain: version {best[0]}, in use, is right on {100 - 100 * best[1]:.1f} % of its test split, so"
            f" nothing can be better by {100 * chosen['min_gain']:.1f} points. Choose a smaller gain."
        )
    if not _is_number(chosen["max_p"], 1e-6, 0.5):
        yield f"max_p: expected a number from 0.000001 to 0.5 (0.05 is usual); got {chosen['max_p']!r}."
    if not _is_number(chosen["max_class_loss"], 0.0, 1.0):
        yield f"max_class_loss: expected a share from 0 to 1 (0.02 is two points); got {chosen['max_class_loss']!r}."


def _best_gain(session: Session) -> tuple[int, float] | None:
    """The version in use and the largest possible gain over it; None when it was never evaluated.

    A handful of pictures, all of them right, proves nothing: then the evaluation when it was made counts.
    """
    in_use = registry.find_in_use(session)
    if in_use is None:
        return None
    version = registry.get_version(session, in_use)
    figures = predictions.measure_version(session, version)
    if figures["n_images"] < promotion_gate.MIN_PICTURES:
        figures = metrics_of(version.manifest, Split.TEST)
    return (in_use, 1.0 - figures["accuracy"]) if "accuracy" in figures else None


def _wrong_classify(session: Session, chosen: dict[str, Any]) -> Iterator[str]:
    if not isinstance(chosen["source"], str) or not chosen["source"]:
        yield "source: expected the path of a folder on this server, or s3://bucket/prefix; got nothing."
    if chosen["threshold"] is not None and not _is_number(chosen["threshold"], 0.0, 1.0):
        yield f"threshold: expected a number from 0 to 1; got {chosen['threshold']!r}."
    if not isinstance(chosen["labelled"], bool):
        yield f"labelled: expected true or false; got {chosen['labelled']!r}."
    if chosen["model"] is not None:
        chosen["model"] = str(chosen["model"])
        try:
            if chosen["model"].isdecimal() and int(chosen["model"][:20]) > MAX_WHOLE:
                raise NotFound(f"there is no model version {chosen['model'][:20]}.")
            registry.find_version(session, chosen["model"])
        except (NotFound, Gone, Conflict) as error:
            yield f"model: {error.message}"


def _wrong_clean_up(chosen: Mapping[str, Any]) -> Iterator[str]:
    if chosen["older_than_days"] is None and chosen["below_bytes"] is None:
        yield "parameters: expected older_than_days or below_bytes (or both); got neither, so nothing would be deleted."
    if chosen["older_than_days"] is not None and not _is_number(chosen["older_than_days"], 0.0, MAX_DAYS):
        yield f"older_than_days: expected a number from 0 to {MAX_DAYS}; got {chosen['older_than_days']!r}."
    if chosen["below_bytes"] is not None and not _is_whole(chosen["below_bytes"], 0, MAX_BYTES):
        yield f"below_bytes: expected a whole number of bytes; got {chosen['below_bytes']!r}."
    if not isinstance(chosen["keep_labelled"], bool):
        yield f"keep_labelled: expected true or false; got {chosen['keep_labelled']!r}."


def _wrong_back_up(chosen: Mapping[str, Any]) -> Iterator[str]:
    names = ("keep_daily", "keep_weekly")
    for name in names:
        if not _is_whole(chosen[name], 0, MAX_BACKUPS):
            yield f"{name}: expected a whole number from 0 to {MAX_BACKUPS}; got {chosen[name]!r}."
    if all(chosen[name] == 0 for name in names):
        yield "keep_daily: expected at least 1 here or for keep_weekly, so that a backup is kept."


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and low <= value <= high
