"""The page Labels: whether there are enough, which are probably wrong, which pictures to label next."""

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.errors import Invalid
from core.base.states import LabelSource
from core.evaluation import label_quality
from core.labels import counts, labels
from core.labels.labels import NewLabel
from core.orm.evaluation import LabelQualityReport
from core.orm.uploads import Image, Upload
from web.http import paths
from web.http.auth import current_user_id
from web.http.context import get_services
from web.http.redirects import see_other
from web.http.rights import current_actor, needs
from web.pages.common.charts import Chart, Series, line_chart
from web.pages.common.words import plural

pages = Blueprint("label_pages", __name__)

SUSPECTS_SHOWN = 60


@dataclass(frozen=True)
class Forecast:
    """The curve of a label quality check as the page shows it."""

    study: LabelQualityReport

    @property
    def answer(self) -> str:
        """Whether there are enough labels, in one or two sentences."""
        curve = self.study.curve
        gain, twice = (100 * (curve[name] - curve["now"]) for name in ("with_more", "with_twice"))
        accuracy = f"{100 * curve['now']:.1f} % accuracy now, ± {100 * curve['half_width']:.1f} points"
        if gain < 0.05:
            few = f"{curve['more']} more labels would add less than 0.1 points"
            return f"Probably enough: {accuracy}. {few}; twice as many labels as now, about {twice:.1f}."
        more = f"{curve['more']} more labels would add about {gain:.1f} points"
        return f"{accuracy}. {more}; twice as many labels as now, {twice:.1f}."

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The measured and the expected points, for a table."""
        curve = self.study.curve
        measured = [(plural(point["n"], "label"), f"{100 * point['accuracy']:.2f} %") for point in curve["points"]]
        n = self.study.n_labels
        return [
            *measured,
            (f"{plural(n, 'label')}, all labels (expected)", f"{100 * curve['now']:.2f} %"),
            *(
                (f"{plural(more, 'label')} (expected)", f"{100 * expected:.2f} %")
                for more, expected in sorted([(n + curve["more"], curve["with_more"]), (2 * n, curve["with_twice"])])
            ),
        ]

    @property
    def chart(self) -> Chart:
        """The measured points and the fitted line."""
        curve, n = self.study.curve, self.study.n_labels
        formula = curve["formula"]
        first = curve["points"][0]["n"]
        steps = [first + (2 * n - first) * step / 40 for step in range(41)]
        line = [(x, 1 - formula["floor"] - formula["scale"] * x ** -formula["exponent"]) for x in steps]
        points = [(float(point["n"]), point["accuracy"]) for point in curve["points"]]
        return line_chart(
            [Series("measured", points), Series("expected", line, style=2)],
            "labels",
            "accuracy",
            title="Accuracy by number of training labels",
            description=self.answer,
        )


@pages.get("/labels")
@needs(Right.SEE)
def show_labels() -> str:
    """Whether there are enough labels, which are wrong, which pictures to label next."""
    return _show_labels()


@pages.post("/labels/study")
@needs(Right.SEND)
def start_study() -> Response | tuple[str, int]:
    """Check all labels; leads to the page of the job."""
    services = get_services()
    try:
        with services.db.write() as session:
            job = label_quality.create_label_quality_job(session, current_actor())
            job_id, uuid = job.id, job.uuid
    except Invalid as error:
        return _show_labels(error.message), 422
    services.tasks.send_trainings([job_id])
    return see_other(url_for("job_pages.show_job", uuid=uuid))


@pages.get("/labels/suspects")
@needs(Right.SEE)
def list_suspects() -> str:
    """Labels that are probably wrong, most suspicious first."""
    with get_services().db.read() as session:
        study = label_quality.find_newest_report(session)
        suspects = label_quality.list_suspects(session, study) if study else []
    return render_template(
        "labels/suspects.html", study=study, suspects=suspects[:SUSPECTS_SHOWN], n_suspects=len(suspects)
    )


@pages.post("/labels/suspects")
@needs(Right.LABEL)
def correct_suspect() -> Response:
    """Correct or confirm a suspicious label with a plain form; the keys of the page call the API."""
    image_id, label = request.form.get("image_id", type=paths.image_id), request.form.get("label", "")
    given = request.form.get("given", "")
    if image_id is not None:
        source = LabelSource.CONFIRMATION if label == given else LabelSource.CORRECTION
        with get_services().db.write() as session:
            labels.add_labels(session, current_user_id(), [NewLabel(image_id, label, source)])
    return see_other(url_for("label_pages.list_suspects"))


def _show_labels(problem: str = "") -> str:
    with get_services().db.read() as session:
        study = label_quality.find_newest_report(session)
        n_suspects = len(label_quality.list_suspects(session, study)) if study else 0
        return render_template(
            "labels/labels.html",
            study=study,
            active=label_quality.find_active(session),
            n_new=counts.count_since_training(session, study.version_id if study else None),
            forecast=Forecast(study) if study else None,
            n_suspects=n_suspects,
            wanted=_still_there(session, study) if study else [],
            problem=problem,
        )


def _still_there(session: Session, study: LabelQualityReport) -> list[Image]:
    """The pictures to label next that still exist and have no label yet."""
    there = select(Image).join(Upload, Upload.id == Image.upload_id).where(Upload.deleted_at.is_(None))
    open_ones = there.where(Image.id.in_(study.wanted), labels.human_label_of(Image).is_(None))
    found = {image.id: image for image in session.scalars(open_ones)}
    return [found[image_id] for image_id in study.wanted if image_id in found]
