"""What a training job learns with: the whole network, or its last layers on what the others make of the pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.base.network_catalog import CLASSES, NETWORKS
from core.models import registry
from core.training.parameters import Parameters
from core.training.splits import Part
from model.architectures.build import build
from model.artifacts.weights import load_into, pack_weights, weight_names
from model.training import last_layers
from model.training.augment import NONE, SEED, STRONG
from model.training.last_layers import TAILS, Activations
from model.training.train import Examples, Passed, Recipe, Trainer
from worker.process.runtime import Runtime
from worker.training.dataset import Pixels
from worker.training.pixel_store import PixelStore

if TYPE_CHECKING:
    import keras

AUGMENTATIONS = {"none": NONE, "light": SEED, "strong": STRONG}
ENLARGED = 1.25  # training pictures are decoded larger where they are zoomed into, so that this shows detail
LABEL_SMOOTHING = 0.05  # of the last layers alone: they start from a network that is nearly always right


@dataclass(frozen=True, slots=True)
class Learner:
    """A network and what trains it.

    Attributes:
        model: The whole network.
        trainer: Of the whole, or of its last layers; both share their weights.
        stores_float16: Whether the version's weights are stored in half the size.
    """

    model: "keras.Model"
    trainer: Trainer
    stores_float16: bool

    def pack(self, weights: list[NDArray[Any]]) -> bytes:
        """The file of the whole network with these weights, as `Trainer.weights` gave them."""
        self.trainer.use(weights)
        arrays = self.model.get_weights()
        if self.stores_float16:
            arrays = [array.astype(np.float16) for array in arrays]
        return pack_weights(arrays, weight_names(self.model))


def sides_of(parameters: Parameters) -> dict[Part, int]:
    """Height and width in pixels to which pictures of each part are decoded."""
    side_px = NETWORKS[parameters.network].side_px
    training_px = round(side_px * ENLARGED) if parameters.augmentation == "strong" else side_px
    return {Part.TRAINING: training_px, Part.VALIDATION: side_px, Part.JUDGING: side_px}


def make_learner(
    runtime: Runtime, parameters: Parameters, pixels: Pixels, store: PixelStore, on_part: Callable[[], object]
) -> Learner:
    """Build the network, give it the weights to start from, and put it before the pictures.

    Args:
        on_part: Called between what takes long; what it raises ends the work.
    Raises:
        Invalid: There is no room for what the first layers make of the pictures.
        BadWeights: The version to start from cannot be used.
    """
    import keras

    keras.utils.set_random_seed(parameters.seed)
    network = NETWORKS[parameters.network]
    model = build(parameters.network)
    on_part()
    if parameters.start_from is not None:
        with runtime.db.read() as session:
            version = registry.get_version(session, parameters.start_from)
        load_into(model, runtime.networks.weights(version))
    on_part()
    seen = {part: pixels.of(part) for part in (Part.TRAINING, Part.VALIDATION)}
    if not network.knows_neither or not (seen[Part.TRAINING].labels == len(CLASSES)).any():
        seen = {part: pixels.of_classes(part) for part in seen}
    if network.plan.only_last_layers:
        trainer = _train_tail(model, parameters, seen, store)
    else:
        trainer = Trainer(model, _recipe(parameters), seen[Part.TRAINING], seen[Part.VALIDATION])
    return Learner(model, trainer, network.float16)


def _train_tail(model: "keras.Model", parameters: Parameters, seen: dict[Part, Examples], store: PixelStore) -> Trainer:
    tail = TAILS[parameters.network]
    last_layers.freeze(model, tail, has_neither=bool((seen[Part.TRAINING].labels == len(CLASSES)).any()))
    trunk, rest = last_layers.split(model, tail.first)
    n_variants = {Part.TRAINING: 1 if parameters.augmentation == "none" else 2, Part.VALIDATION: 1}
    passed = {
        part: Passed(
            Activations(
                trunk, images, store.make((n_variants[part], len(images), *trunk.output_shape[1:]), np.float16)
            ),
            labels,
        )
        for part, (images, labels) in seen.items()
    }
    return Trainer(rest, _recipe(parameters, is_tail=True), passed[Part.TRAINING], passed[Part.VALIDATION])


def _recipe(parameters: Parameters, is_tail: bool = False) -> Recipe:
    return Recipe(
        epochs=parameters.epochs,
        steps_per_epoch=parameters.steps_per_epoch,
        batch_size=parameters.batch_size,
        learning_rate=parameters.learning_rate,
        augmentation=NONE if is_tail else AUGMENTATIONS[parameters.augmentation],
        label_smoothing=LABEL_SMOOTHING if is_tail else 0.0,
        seed=parameters.seed,
    )
