"""What each way of training would bring, in words, as far as anything was measured here.

A new head: the newest look through the labels tried such heads on pictures that they had not seen. The layers: what the
newest version so trained was right on. Beside both belongs what the version that they start from is right on.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.manifest import metrics_of
from core.base.states import JobKind, JobState
from core.evaluation import label_quality, predictions
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import Training
from core.training.parameters import ALL
from core.training.splits import Split
from web.pages.common.words import plural

TRAININGS_LOOKED_AT = 100
NOT_TRIED = (
    "What it would bring nobody has tried here yet: “Look through the labels”, on the page Labels, does so in seconds."
)


def of_head(session: Session, version: ModelVersion, n_labels: int) -> str:
    """What a new head on the features of a version would bring, fitted on so many labels."""
    forecast = label_quality.forecast(session, version, n_labels)
    if forecast is None:
        return NOT_TRIED
    return (
        f"It would be right on about {_share(forecast.accuracy)} of such pictures, give or take"
        f" {100 * forecast.half_width:.1f} points: so said heads tried on {plural(forecast.n_labels, 'label')}."
    )


def of_layers(session: Session, network: str) -> str:
    """What training the layers of a network would bring."""
    trained = _find_trained(session, network)
    if trained is None:
        return "What it would bring is not known: nobody has trained its layers here yet."
    figures = metrics_of(trained.manifest, Split.TEST)
    return (
        f"The last one, version {trained.id}, became right on {_share(figures['accuracy'])} of"
        f" {plural(figures['n_images'], 'picture')} that it had not seen."
    )


def of_version(session: Session, version: ModelVersion) -> str:
    """What a version is right on: of what it judged here, else of what it was judged on when it was made."""
    figures = predictions.measure_version(session, version)
    where = "that judge here"
    if not figures["n_images"]:
        figures, where = metrics_of(version.manifest, Split.TEST), "by which it was judged when it was made"
    if "accuracy" not in figures:
        return ""
    share, n = _share(figures["accuracy"]), plural(figures["n_images"], "picture")
    return f"Version {version.id}, where it starts, is right on {share} of the {n} {where}."


def _find_trained(session: Session, network: str) -> ModelVersion | None:
    """The newest version of a network whose layers were trained here."""
    rows = (
        select(ModelVersion, Training.parameters)
        .join(Job, Job.model_version_id == ModelVersion.id)
        .join(Training, Training.job_id == Job.id)
        .where(Job.kind == JobKind.TRAIN, Job.state == JobState.DONE, ModelVersion.network == network)
        .where(ModelVersion.deleted_at.is_(None))
        .order_by(Job.id.desc())
        .limit(TRAININGS_LOOKED_AT)
    )
    version: ModelVersion
    for version, parameters in session.execute(rows):
        if parameters.get("what", ALL) == ALL and "accuracy" in metrics_of(version.manifest, Split.TEST):
            return version
    return None


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
