"""A light network for the pictures that are easy, made from an accurate one; see `model.training.distillation`.

1. take the weights of the accurate network, which has the same layers;
2. train them to answer as that network does, on images that are shrunk first, keeping the state after each epoch;
3. convert the body for LiteRT in int8; of the weights, only those of the heads are stored.

Half of the photographs of neither class train the student; the other half is evaluated.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from model.architectures.head_outputs import read_layer
from model.architectures.registry import get_architecture
from model.artifacts.weights import digest_of, load_into, unpack_weights
from model.inference.engine import Engine, join
from model.training.distillation import Answers, Distiller
from model.training.examples import Examples
from pretraining import array_cache
from pretraining.labelled_folders import NEITHER, Photograph, decode_all, digest_contents
from pretraining.negatives import draw_negatives
from pretraining.recipes import CascadeRecipe
from pretraining.shipped import open_shipped, read_shipped

if TYPE_CHECKING:
    import keras


def train_student(
    network: str, recipe: CascadeRecipe, photographs: list[Photograph], pretrained: Path, cache: Path
) -> "keras.Model":
    """Train the student of a cascade.

    Args:
        network: Its name.
        recipe: How it is made.
        photographs: Of the training split, of cats, dogs and neither.
        pretrained: The folder of the shipped networks, the teacher's among them.
        cache: For the state after each epoch.
    """
    teacher, weights = open_shipped(recipe.teacher, pretrained), read_shipped(recipe.teacher, pretrained).weights
    architecture = get_architecture(network)
    model = architecture.build()
    load_into(model, weights)
    how = recipe.distillation
    distiller = Distiller(
        model,
        architecture,
        how,
        _make_teacher(teacher.engine, network, unpack_weights(weights)),
        _read_examples(recipe, photographs),
    )
    work = f"{network} {how} {digest_of(weights)} {digest_contents(photographs)}"
    state_file = cache / f"{network}-{digest_of(work.encode())[:16]}.npz"
    if (state := array_cache.find(state_file)) is not None:
        distiller.restore(state)
        click.echo(f"resuming after epoch {distiller.n_epochs_done}")
    for loss in distiller.epochs():
        click.echo(f"epoch {distiller.n_epochs_done} of {how.recipe.epochs}: loss {loss:.4f}")
        array_cache.save(state_file, distiller.state())
    distiller.finish()
    return model


def _make_teacher(
    engine: Engine, network: str, arrays: Mapping[str, NDArray[Any]]
) -> Callable[[NDArray[np.uint8]], Answers]:
    """The answers of the accurate network for images.

    Args:
        engine: Runs it.
        network: One with the same heads.
        arrays: Its weights by name.
    """
    kernel, bias = read_layer(arrays, get_architecture(network).get_neither_head().classifier)
    size = engine.sizes[-1]

    def answer(images: NDArray[np.uint8]) -> Answers:
        outputs = join([engine.run(images[start : start + size]) for start in range(0, len(images), size)])
        return Answers(outputs.outputs, outputs.features.astype(np.float32) @ kernel + bias)

    return answer


def is_for_training(negative: Photograph) -> bool:
    """Whether a photograph of neither class is of the half that trains; the other half is only evaluated."""
    return negative.sha256[-1] % 2 == 0


def _read_examples(recipe: CascadeRecipe, photographs: list[Photograph]) -> Examples:
    """The images of an epoch, in the teacher's size or larger."""
    how = recipe.distillation
    images, labels, _ = decode_all(photographs, how.source_px)
    drawn = draw_negatives(how.n_drawn, how.source_px, how.recipe.seed)
    repeated = [images[labels == NEITHER]] * (how.negative_repeats - 1)
    together = np.concatenate([images, *repeated, drawn])
    n_more = len(together) - len(images)
    return Examples(together, np.concatenate([labels, np.full(n_more, NEITHER)]))
