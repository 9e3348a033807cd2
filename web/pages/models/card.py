"""A model card: all data of a version's manifest, in words and tables.

The page, the HTML file and the Markdown file are made from the same object.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.base.manifest import Bounds, Manifest, Metrics, Speed, metrics_of
from core.base.network_catalog import CLASSES, NETWORKS
from core.orm.models import Conversion, ModelVersion
from web.pages.common.charts import Chart, Mark, Series, line_chart
from web.pages.common.words import count, in_bytes, moment, plural, split_name

NOT_RECORDED = "not recorded"
NEGATIVES = "strangers"
SPLITS = {
    "judging": "Test: no version was trained on these pictures",
    "test": "Final test: a separate folder, evaluated once, after all choices",
    "validation": "Validation: calibration and threshold were chosen on these pictures",
}

Fact = tuple[str, str]


@dataclass(frozen=True)
class SplitMetrics:
    """The metrics of one split; `figures` are the fields of `model.arrays.metrics.Metrics`."""

    name: str
    meaning: str
    figures: Metrics

    @property
    def facts(self) -> list[Fact]:
        """The metrics in words."""
        return list(metric_facts(self.figures))


@dataclass(frozen=True)
class ModelCard:
    """Everything known about a version.

    Attributes:
        teacher: The accurate version to which it leaves pictures, if it is a light one.
    """

    version: ModelVersion
    who: str | None = None
    conversion: Conversion | None = None
    teacher: ModelVersion | None = None

    @property
    def trained(self) -> ModelVersion:
        """The version that a training from this one starts from."""
        return self.teacher or self.version

    @property
    def manifest(self) -> Manifest:
        """The manifest, written when the version was made."""
        return self.version.manifest

    @property
    def title(self) -> str:
        """Which version of which network."""
        return f"Version {self.version.id}: {self.version.network}"

    @property
    def network_title(self) -> str:
        """The network in one line."""
        network = NETWORKS.get(self.version.network)
        return network.title if network else "A network unknown to this version of Pawsort"

    @property
    def n_weights(self) -> int | None:
        """How many weights the network has. The manifest counts those of its file, which may be of the heads alone."""
        network = NETWORKS.get(self.version.network)
        known = (self.manifest.get("n_weights"), network.n_weights if network else None)
        return max((n for n in known if n is not None), default=None)

    @property
    def made_on(self) -> SplitMetrics | None:
        """The metrics from when it was made: of the test split, otherwise of the validation split."""
        return next((part for part in self.parts if part.figures["n_images"] and "accuracy" in part.figures), None)

    @property
    def made_with(self) -> str:
        """The accuracy from when it was made, with the kind and number of pictures."""
        if self.made_on is None:
            return "accuracy not recorded when it was made"
        figures = self.made_on.figures
        pictures = plural(figures["n_images"], f"{split_name(self.made_on.name)} picture")
        return f"{share(figures['accuracy'])} of {pictures} when it was made"

    @property
    def facts(self) -> list[Fact]:
        """What the version is, and where it comes from."""
        manifest, n_bytes = self.manifest, self.manifest.get("n_bytes")
        return [
            ("Network", f"{self.version.network}: {self.network_title}"),
            ("Input", _or(manifest.get("side_px"), lambda side: f"{side} x {side} pixels, resized without cropping")),
            ("Classes", ", ".join(manifest.get("classes", CLASSES))),
            ("Weights", _or(self.n_weights, lambda n: f"{count(n)} numbers")),
            ("Size", _or(n_bytes, in_bytes)),
            ("Speed", _or(manifest.get("speed"), _speed)),
            ("On CPUs", _served_by(self.conversion)),
            *self._cascade_facts,
            ("Decoding rules", str(manifest.get("decoding", 1))),
            ("Made", _or(manifest.get("created_at"), lambda text: moment(datetime.fromisoformat(text)))),
            ("Made by", _or(manifest.get("who"), lambda who: "shipped with Pawsort" if who == "shipped" else str(who))),
            ("Made with", _or(manifest.get("command"), str)),
            ("Code", _or(manifest.get("code_version"), str)),
            ("Seed", _or(manifest.get("seed"), str)),
            ("Digest (SHA-256)", self.version.digest),
        ]

    @property
    def _cascade_facts(self) -> list[Fact]:
        cascade = self.manifest.get("cascade")
        if cascade is None or self.teacher is None:
            return []
        teacher = f"version {self.teacher.id} ({self.teacher.network})"
        return [("Answers", f"itself from a confidence of {cascade['limit']:g}; {teacher} answers for other pictures")]

    @property
    def data_facts(self) -> list[Fact]:
        """What the version was trained on, and how the pictures were split."""
        data, split = self.manifest.get("data", {}), self.manifest.get("split", {})
        by_class = data.get("n_images") or {}
        splits = {name: n for name, n in split.items() if name != "rule"}
        return [
            ("Pictures", ", ".join(f"{count(n)} {name}" for name, n in by_class.items()) or NOT_RECORDED),
            ("Unreadable", _or(data.get("n_unreadable"), count)),
            ("By split", ", ".join(f"{count(n)} {split_name(name)}" for name, n in splits.items()) or NOT_RECORDED),
            ("Rule of the splits", _or(split.get("rule"), str)),
            ("Digest of the contents", _or(data.get("sha256"), str)),
        ]

    @property
    def parameters(self) -> list[Fact]:
        """The recipe, nested fields as `augmentation.zoom`."""
        return list(_flat(self.manifest.get("parameters", {})))

    @property
    def choice_facts(self) -> list[Fact]:
        """Calibration and threshold."""
        calibration, bounds = self.manifest.get("calibration") or {}, self.manifest.get("bounds")
        return [
            (
                "Calibration",
                _or(calibration.get("temperature"), lambda t: f"temperature {t:g}, from the validation split"),
            ),
            ("Threshold", f"{self.manifest['threshold']:g}: pictures below this confidence are marked unsure"),
            ("Requirements for the threshold", _or(bounds, _bounds)),
        ]

    @property
    def parts(self) -> list[SplitMetrics]:
        """Metrics by split, from when the version was made."""
        metrics = self.manifest.get("metrics", {})
        names = [
            *(name for name in SPLITS if name in metrics),
            *(n for n in metrics if n not in SPLITS and n != NEGATIVES),
        ]
        return [SplitMetrics(name, SPLITS.get(name, name), metrics[name]) for name in names]

    @property
    def stranger_facts(self) -> list[Fact]:
        """How the version treats pictures of neither class."""
        found = self.manifest.get("metrics", {}).get(NEGATIVES)
        if not found:
            return []
        return [("Pictures of neither", count(found["n_images"])), ("Left unsure", share(found["unsure"]))]

    @property
    def coverage(self) -> list[tuple[float, float, float]]:
        """Threshold, share of validation pictures with a label, share with a wrong label; empty if not recorded."""
        curve = metrics_of(self.manifest, "validation").get("coverage")
        if not curve:
            return []
        return list(zip(curve["threshold"], curve["labelled"], curve["wrong"], strict=True))

    @property
    def chart(self) -> Chart | None:
        """Errors against coverage, with the version's threshold marked."""
        curve = self.coverage
        if not curve:
            return None
        at = min(curve, key=lambda row: abs(row[0] - self.manifest["threshold"]))
        points = [(100 * labelled, 100 * wrong) for _, labelled, wrong in curve if labelled > 0]
        return line_chart(
            [Series("validation split", points)],
            "pictures with a label, %",
            "pictures with a wrong label, %",
            title="Errors against coverage",
            description=(
                f"At the threshold of {self.manifest['threshold']:g}, {share(at[1])} of the pictures get a label and"
                f" {share(at[2])} get a wrong one. The table has every value."
            ),
            marks=[Mark(100 * at[1], f"threshold {self.manifest['threshold']:g}")],
        )


def metric_facts(figures: Metrics) -> Iterator[Fact]:
    """Metrics of one set of pictures, in words."""
    yield "Pictures", count(figures["n_images"])
    if figures["n_images"] and "accuracy" in figures:
        interval = f"{share(figures['accuracy_low'])} to {share(figures['accuracy_high'])}"
        yield "Accuracy (95 % interval)", f"{share(figures['accuracy'])} ({interval})"
        yield "With a wrong label at the threshold", share(figures["wrong"])
        yield "Unsure at the threshold", share(figures["unsure"])
        yield "Log loss (best: 0)", f"{figures['log_loss']:.4f}"
        yield "ROC AUC (best: 1)", f"{figures['roc_auc']:.4f}"
        yield "Expected calibration error (best: 0)", f"{figures['calibration_error']:.4f}"
        for name, of_class in figures["by_class"].items():
            yield f"Precision, recall of {name}", f"{share(of_class['precision'])}, {share(of_class['recall'])}"
    if "n_neither" in figures:
        n = figures["n_neither"]
        yield "Pictures of neither, left unsure", f"{share(figures['neither_unsure'])} of {plural(n, 'picture')}"


def share(value: float) -> str:
    """0.9887 -> "98.9 %"."""
    return f"{100 * value:.1f} %"


def _or(value: Any, words: Any) -> str:
    return NOT_RECORDED if value is None else str(words(value))


def _served_by(conversion: Conversion | None) -> str:
    """What runs the version on a CPU, and how it agrees with TensorFlow."""
    if conversion is None:
        return "run by TensorFlow until it is converted for LiteRT"
    if conversion.digest is None:
        return f"run by TensorFlow, since LiteRT does not agree: {conversion.document.get('reason', NOT_RECORDED)}"
    agreement = conversion.document.get("agreement", {})
    served = f"run by LiteRT in {conversion.document.get('precision')}"
    n_differ = agreement.get("n_labels_differ")
    if n_differ is None:
        return f"{served}; its head was fitted on these features"
    pictures = plural(agreement["n_images"], "picture")
    return f"{served}; of {pictures}, {count(n_differ)} got another label than in TensorFlow"


def _speed(speed: Speed) -> str:
    threads = plural(speed["threads"], "thread")
    return f"{speed['images_per_s']:g} pictures/s on {speed['device']}, {threads} ({count(speed['n_images'])} pictures)"


def _bounds(bounds: Bounds) -> str:
    has_neither = bounds["max_taken"] < 1
    of_neither = (
        f" and at most {share(bounds['max_taken'])} of the pictures of neither with a label" if has_neither else ""
    )
    wrong, unsure = share(bounds["max_wrong"]), share(bounds["max_unsure"])
    return f"at most {wrong} wrong{of_neither}, unless that makes more than {unsure} unsure"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[Fact]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _value(value)


def _value(value: Any) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)
