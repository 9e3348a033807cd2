"""Pages of predictions: those of one version for the test pictures, and two versions compared on the same pictures."""

from flask import Blueprint, Response, render_template, request, url_for

from core.accounts.rights import Right
from core.base.network_catalog import CLASSES
from core.evaluation import decoding_change, predictions, unbiased_labels, version_comparison
from core.evaluation.predictions import PredictionFilter
from core.labels import counts
from core.models import registry
from core.models.version_choices import NEWEST, offer_versions
from web.http import paths
from web.http.arguments import read_argument, whole_number
from web.http.context import get_services
from web.http.paths import OTHER_VERSION, VERSION
from web.http.redirects import see_other
from web.http.rights import needs
from web.pages.common.words import count
from web.pages.models.card import NOT_RECORDED, ModelCard, metric_facts

pages = Blueprint("comparison_pages", __name__)

PICTURES_SHOWN = 60


@pages.get(f"/models/{VERSION}/judgements")
@needs(Right.SEE)
def show_predictions(version: int) -> str:
    """The predictions of a version for test pictures; cells of the confusion matrix lead here."""
    filters = PredictionFilter(
        true=request.args.get("true") or None,
        predicted=request.args.get("called") or None,
        sort=request.args.get("sort") or "doubt",
    )
    with get_services().db.read() as session:
        row = registry.get_version(session, version)
        page = predictions.list_predictions(session, row.id, filters, request.args.get("cursor"), PICTURES_SHOWN)
    return render_template(
        "models/predictions.html",
        card=ModelCard(row),
        filters=filters,
        rows=page.items,
        next=page.next,
        classes=CLASSES,
    )


@pages.get("/models/compare")
@needs(Right.SEE)
def choose_comparison() -> Response | str:
    """Choose two versions; with both in the address, show the comparison."""
    number = whole_number(1, paths.LARGEST_ID)
    first, second = read_argument("first", number), read_argument("second", number)
    if first and second:
        return see_other(url_for("comparison_pages.compare_models", version=first, other=second))
    with get_services().db.read() as session:
        offered = offer_versions(session, first, second, limit=None if request.args.get("all") else NEWEST)
    return render_template("models/choose_comparison.html", offered=offered, first=first, second=second)


@pages.get(f"/models/{VERSION}/compare/{OTHER_VERSION}")
@needs(Right.SEE)
def compare_models(version: int, other: int) -> str:
    """Two versions side by side, on the pictures that both were evaluated on."""
    with get_services().db.read() as session:
        first, second = registry.get_version(session, version), registry.get_version(session, other)
        since = counts.count_since_each(session, [first.id, second.id])
        comparison = version_comparison.compare(session, first, second)
        n_doubtful = unbiased_labels.count_biased(session, unbiased_labels.find_common(session, first.id, second.id))
        outdated = decoding_change.find_outdated(session, [first.id, second.id])
        page = version_comparison.list_differences(
            session, first.id, second.id, request.args.get("cursor"), PICTURES_SHOWN
        )
    facts = [dict(metric_facts(one)) for one in (comparison.first, comparison.second)]
    n_new = ("New labels since it was trained", *(count(since[one.id]) for one in (first, second)))
    rows = [(name, *(one.get(name, NOT_RECORDED) for one in facts)) for name in facts[0] | facts[1]] + [n_new]
    return render_template(
        "models/comparison.html",
        first=first,
        second=second,
        comparison=comparison,
        n_doubtful=n_doubtful,
        outdated=sorted(outdated),
        facts=rows,
        rows=page.items,
        next=page.next,
    )
