"""Each result of a light version names the network that answered."""

from collections.abc import Callable

import numpy as np
from flask import json
from numpy.typing import NDArray

from core.base.config import Settings
from core.base.database import Database
from core.storage.blobs import Blobs
from model.inference.predictions import Predictions
from tests.support.factories import make_job, make_upload, read_results
from tests.support.fakes import FakeClassifier, FakeRuntime
from tests.support.light_version import LIGHT, TEACHER, use_light_version
from tests.worker.inference.test_classification import grey
from web.exports.tables import csv_lines, json_lines
from worker.inference import classification

DATABASES = ("sqlite",)
FILES = {"p/dark.png": grey(10), "p/broken.png": grey(90)[:40], "p/between.png": grey(130)}


class Cascade(FakeClassifier):
    """Leaves what is not clear to its teacher."""

    network = LIGHT

    def predict_with_features(
        self, images: NDArray[np.uint8], on_batch: Callable[[], object] = lambda: None
    ) -> Predictions:
        """As the one above."""
        own = super().predict_with_features(images, on_batch)
        return own._replace(by_teacher=own.probabilities.max(axis=1) < 0.9)

    def name_networks(self, predictions: Predictions) -> list[str]:
        """Both are named."""
        assert predictions.by_teacher is not None
        return [TEACHER if by_teacher else LIGHT for by_teacher in predictions.by_teacher]


def test_a_result_and_its_line_in_exports_name_the_network_that_answered(
    settings: Settings, db: Database, blobs: Blobs
) -> None:
    use_light_version(db)
    job = make_job(db, make_upload(db, blobs, FILES))
    classification.classify_next(FakeRuntime(settings, db, Cascade()))
    rows = sorted(read_results(db, job), key=lambda row: row.path)
    assert {row.path: row.network for row in rows} == {
        "p/between.png": TEACHER,
        "p/broken.png": None,
        "p/dark.png": None,
    }
    assert [line.rpartition(",")[2].strip() for line in csv_lines(rows, LIGHT)] == ["network", TEACHER, LIGHT, LIGHT]
    assert [json.loads(line)["network"] for line in json_lines(rows, LIGHT)] == [TEACHER, LIGHT, LIGHT]


def test_where_the_teacher_answers_for_all_pictures_each_result_names_it(
    settings: Settings, db: Database, blobs: Blobs
) -> None:
    use_light_version(db)
    teacher = FakeClassifier()
    teacher.network = TEACHER
    job = make_job(db, make_upload(db, blobs, {"p/dark.png": grey(10)}))
    classification.classify_next(FakeRuntime(settings, db, teacher))
    assert [row.network for row in read_results(db, job)] == [TEACHER]
