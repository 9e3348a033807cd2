"""A cascade: a light network that answers where it is sure, in front of a shipped one, its teacher.

    teacher ─► distillation ─► body in int8, heads ─► temperature (validation) ─► limit (validation, negatives)
                                                                                       │
    manifest with the metrics of both together ◄─ threshold (validation, negatives) ◄──┘

The limit is the confidence from which the light network answers itself. It follows the rule of every threshold: the
lowest at which few images get a wrong label, and few of neither class get one. Of the photographs of neither class,
half trains the light network; the other half is used only to evaluate it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from time import perf_counter

import click
import numpy as np
from numpy.typing import NDArray

from core.base.network_catalog import CLASSES
from model.arrays.calibration import calibrate, choose_threshold, fit_temperature
from model.arrays.image_arrays import Images
from model.arrays.metrics import evaluate
from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import SHIPPED, Cascade, Manifest
from model.artifacts.weights import pack_weights, unpack_weights, weight_names
from model.conversion.agreement import compare
from model.conversion.body import convert_body
from model.conversion.conversion import N_COMPARED, describe
from model.evaluation.version_evaluation import NEGATIVES, VALIDATION, evaluate_negatives
from model.inference.classifier import Classifier
from model.training.examples import Examples
from pretraining.conversion import HeadsAndBody, choose_calibration, keep_heads, write_converted
from pretraining.finish_version import decode, decode_splits, group_by_split, write_version
from pretraining.labelled_folders import (
    Folders,
    Photograph,
    digest_contents,
    read_folders,
    read_negatives,
)
from pretraining.light.distillation import is_for_training, train_student
from pretraining.negatives import collect_negatives
from pretraining.recipes import CascadeRecipe, LightHeadsRecipe, describe_recipe
from pretraining.shipped import open_shipped
from worker.process.code_version import code_version
from worker.training.version_manifest import Origin, plain_manifest


def make_cascade(network: str, recipe: CascadeRecipe, folders: Folders) -> Manifest:
    """Train the light network, and make the version.

    Args:
        network: A name of `core.base.network_catalog.LIGHT`.
        recipe: How it is made.
        folders: Photographs, and where results are written; the teacher is there already.
    """
    photographs = read_folders(folders.data)
    by_split, negatives = group_by_split(photographs, folders.data[0]), read_training_negatives(folders)
    training = [*by_split["training"], *(one for one in negatives if one.split == "training")]
    model = train_student(network, recipe, training, folders.out, folders.cache)
    arrays = [array.astype(np.float16) for array in model.get_weights()]
    whole = pack_weights(arrays, weight_names(model))
    plain = plain_manifest(describe_origin(network, recipe, photographs), whole)
    calibration = choose_calibration(photographs, negatives, plain.side_px)
    validation = decode(by_split[VALIDATION], plain.side_px, VALIDATION)
    student = keep_heads(plain, whole, _convert(plain, whole, calibration, validation))
    return finish_cascade(student, recipe, folders)


def finish_cascade(student: HeadsAndBody, recipe: CascadeRecipe | LightHeadsRecipe, folders: Folders) -> Manifest:
    """Choose limit and threshold of a light network, evaluate it with its teacher, and write it.

    Args:
        student: The light network.
        recipe, folders: As for `make_cascade`.
    """
    by_split, negatives = group_by_split(read_folders(folders.data), folders.data[0]), read_training_negatives(folders)
    side_px = student.manifest.side_px
    splits = decode_splits(by_split, folders, side_px)
    unseen = [one for one in negatives if one.split == VALIDATION]
    of_neither = collect_negatives(unseen, recipe.n_drawn, side_px, recipe.seed + 1)
    manifest = complete(student, open_shipped(recipe.teacher, folders.out), recipe, splits, of_neither)
    write_version(manifest, student.weights, folders.out)
    write_converted(student.body, manifest.network, folders.out)
    return manifest


def read_training_negatives(folders: Folders) -> list[Photograph]:
    """The photographs of neither class that may be used before the evaluation."""
    return [one for one in read_negatives(folders.neither) if is_for_training(one)] if folders.neither else []


def describe_origin(network: str, recipe: CascadeRecipe | LightHeadsRecipe, photographs: list[Photograph]) -> Origin:
    """Where a light network comes from."""
    by_class = Counter(CLASSES[photograph.label] for photograph in photographs)
    return Origin(
        network=network,
        data={"n_images": dict(by_class), "sha256": digest_contents(photographs)},
        n_by_split=dict(Counter(photograph.split for photograph in photographs)),
        parameters=json.loads(json.dumps(describe_recipe(recipe))),
        seed=recipe.seed,
        command=f"make pretrained NETWORK={network} DATA=FOLDER TEST=FOLDER NEITHER=FOLDER",
        who=SHIPPED,
    )


def _convert(plain: Manifest, whole: bytes, calibration: NDArray[np.uint8], validation: Examples) -> ConvertedBody:
    """The body in int8. It need not agree with TensorFlow, since its limit is chosen by its own answers."""
    flatbuffer = convert_body(plain.network, unpack_weights(whole), calibration)
    converted = ConvertedBody(describe(plain, flatbuffer, "int8", code_version()), flatbuffer)
    images, labels = validation.images[:N_COMPARED], validation.labels[:N_COMPARED]
    expected, found = (
        classifier.predict_with_features(images)
        for classifier in (Classifier(plain, whole), Classifier(plain, whole, converted=converted))
    )
    agreement = compare(expected, found, labels)
    click.echo(f"converted to int8: {agreement}")
    return converted._replace(manifest=replace(converted.manifest, agreement=asdict(agreement)))


def complete(
    student: HeadsAndBody,
    teacher: Classifier,
    recipe: CascadeRecipe | LightHeadsRecipe,
    splits: Mapping[str, Examples],
    negatives: NDArray[np.uint8],
) -> Manifest:
    """Choose temperature, limit and threshold, then evaluate both networks together, as the product would predict.

    Args:
        student: The light network.
        teacher: The accurate one.
        recipe: Has the bounds of limit and threshold.
        splits: "validation" and others.
        negatives: uint8 (M, side, side, 3), 0 to 255, images of neither class that no network was trained on.
    """
    temperature, limit = _choose_limit(student, teacher, recipe, splits[VALIDATION], negatives)
    manifest = replace(student.manifest, calibration={"temperature": temperature})
    cascade = _open(student, manifest, teacher, limit)
    began = perf_counter()
    probabilities = {split: _predict(cascade, split, examples.images) for split, examples in splits.items()}
    seconds, n_images = perf_counter() - began, sum(len(examples.labels) for examples in splits.values())
    of_negatives = cascade.predict(negatives)
    threshold = choose_threshold(
        probabilities[VALIDATION], splits[VALIDATION].labels, negatives=of_negatives, **asdict(recipe.threshold)
    )
    metrics = {
        split: asdict(evaluate(probabilities[split], examples.labels, manifest.classes, threshold))
        for split, examples in splits.items()
    }
    return replace(
        cascade.manifest,
        threshold=threshold,
        bounds=asdict(recipe.threshold),
        metrics={**metrics, NEGATIVES: evaluate_negatives(of_negatives, threshold)},
        speed={
            "images_per_s": round(n_images / seconds, 1),
            "n_images": n_images,
            "device": cascade.engine.device,
            "threads": cascade.engine.n_threads,
        },
    )


def _choose_limit(
    student: HeadsAndBody,
    teacher: Classifier,
    recipe: CascadeRecipe | LightHeadsRecipe,
    validation: Examples,
    negatives: NDArray[np.uint8],
) -> tuple[float, float]:
    """The temperature of the light network, and the confidence from which it answers itself."""
    alone = _open(student, student.manifest, teacher, limit=0.0)
    outputs = alone.outputs(validation.images)
    temperature = fit_temperature(outputs, validation.labels)
    limit = choose_threshold(
        calibrate(outputs, temperature),
        validation.labels,
        negatives=calibrate(alone.outputs(negatives), temperature),
        **asdict(recipe.limit),
    )
    return temperature, limit


def _predict(cascade: Classifier, split: str, images: Images) -> NDArray[np.float32]:
    """The probabilities for a split; prints how much of it the light network answers."""
    predictions = cascade.predict_with_features(images)
    assert predictions.by_teacher is not None
    click.echo(f"{split}: the light network answers {1 - predictions.by_teacher.mean():.4f}")
    return predictions.probabilities


def _open(student: HeadsAndBody, manifest: Manifest, teacher: Classifier, limit: float) -> Classifier:
    manifest = replace(manifest, cascade=Cascade(teacher=teacher.manifest.digest, limit=limit))
    threads = teacher.engine.n_threads
    return Classifier(manifest, student.weights, converted=student.body, n_threads=threads, teacher=teacher)
