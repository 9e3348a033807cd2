"""The accuracy to expect from each method of training, in words, as far as it was measured here.

For a new head: from the newest label quality check, which tried such heads on pictures they were not trained on. For
more layers: the newest version trained like that, next to the version that a head would start from, on the same
pictures.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.manifest import metrics_of
from core.base.states import JobKind, JobState
from core.evaluation import label_quality, predictions, version_comparison
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training
from core.training.parameters import ALL
from core.training.splits import Split
from web.pages.common.words import plural

MAX_TRAININGS = 100
NOT_MEASURED = "Gain not measured yet: “Check all labels” on the page Labels estimates it in seconds."


def of_head(session: Session, version: ModelVersion, n_labels: int) -> str:
    """The expected accuracy of a new head on the features of a version, fitted on a number of labels."""
    forecast = label_quality.forecast(session, version, n_labels)
    if forecast is None:
        return NOT_MEASURED
    expected = (
        f"Expected accuracy: about {_share(forecast.accuracy)} ± {100 * forecast.half_width:.1f} points, estimated on"
        f" {plural(forecast.n_labels, 'label')}."
    )
    return f"{expected} {_of_start(session, version)}".strip()


def of_layers(session: Session, network: str, start: ModelVersion) -> str:
    """What training the layers of a network gained last time, compared with a version."""
    trained = _find_trained(session, network)
    if trained is None:
        return "Gain unknown: its layers were never trained here."
    last = f"The last version trained like this, {trained.id},"
    if trained.id == start.id:
        return f"{last} is the one that the last layer would be taken from."
    pair = version_comparison.count_pairs(session, start.id, [trained.id]).get(trained.id)
    if pair is None:
        return f"{last} was not evaluated on the same pictures as version {start.id}."
    return (
        f"{last} is right on {_share(pair.second_accuracy)} of {plural(pair.n_images, 'test picture')}, version"
        f" {start.id} on {_share(pair.first_accuracy)} of the same."
    )


def _of_start(session: Session, version: ModelVersion) -> str:
    """The accuracy of the version to start from: on the test pictures here, otherwise from when it was made."""
    figures = predictions.measure_version(session, version)
    where = "labelled here"
    if not figures["n_images"]:
        figures, where = metrics_of(version.manifest, Split.TEST), "when it was made"
    if "accuracy" not in figures:
        return ""
    share, n = _share(figures["accuracy"]), plural(figures["n_images"], "test picture")
    return f"Version {version.id} is right on {share} of {n} {where}; these are other pictures."


def _find_trained(session: Session, network: str) -> ModelVersion | None:
    """The newest version of a network whose layers were trained here."""
    rows = (
        select(ModelVersion, Training.parameters)
        .join(Job, Job.model_version_id == ModelVersion.id)
        .join(Training, Training.job_id == Job.id)
        .where(Job.kind == JobKind.TRAIN, Job.state == JobState.DONE, ModelVersion.network == network)
        .where(ModelVersion.deleted_at.is_(None))
        .order_by(Job.id.desc())
        .limit(MAX_TRAININGS)
    )
    version: ModelVersion
    for version, parameters in session.execute(rows):
        if parameters.get("what", ALL) == ALL and "accuracy" in metrics_of(version.manifest, Split.TEST):
            return version
    return None


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
