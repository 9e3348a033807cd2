"""What a training job trains: the whole network, or its last layers on the activations of the others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.base.network_catalog import CLASSES, TRAINABLE
from core.models import registry
from core.training.parameters import Parameters
from core.training.splits import Split
from model.architectures.registry import build, get_architecture
from model.artifacts.weights import load_into, pack_weights, weight_names
from model.training.augmentation import NONE, SEED, STRONG
from model.training.examples import ActivationExamples, Examples
from model.training.last_layers import Activations, freeze_other_layers, split_at
from model.training.recipe import Recipe
from model.training.trainer import Trainer
from worker.process.runtime import Runtime
from worker.training.dataset import Pixels
from worker.training.pixel_store import PixelStore

if TYPE_CHECKING:
    import keras

AUGMENTATIONS = {"none": NONE, "light": SEED, "strong": STRONG}
ENLARGED = 1.25  # training images that are zoomed into are decoded larger, so zooming shows detail
LABEL_SMOOTHING = 0.05  # for the last layers alone: they start from a network that is nearly always right


@dataclass(frozen=True, slots=True)
class TrainerSetup:
    """A network and its trainer.

    Attributes:
        model: The whole network.
        trainer: Of the whole network or of its last layers; both share their weights.
        stores_float16: Whether the version's weights are stored in half the size.
    """

    model: "keras.Model"
    trainer: Trainer
    stores_float16: bool

    def pack(self, weights: list[NDArray[Any]]) -> bytes:
        """The weights file of the whole network.

        Args:
            weights: Of the trained layers, as `Trainer.weights` returned them.
        """
        self.trainer.use(weights)
        arrays = self.model.get_weights()
        if self.stores_float16:
            arrays = [array.astype(np.float16) for array in arrays]
        return pack_weights(arrays, weight_names(self.model))


def input_sides_of(parameters: Parameters) -> dict[Split, int]:
    """Height and width in pixels to which the images of each split are decoded."""
    side_px = TRAINABLE[parameters.network].side_px
    training_px = round(side_px * ENLARGED) if parameters.augmentation == "strong" else side_px
    return {Split.TRAINING: training_px, Split.VALIDATION: side_px, Split.TEST: side_px}


def set_up_trainer(
    runtime: Runtime, parameters: Parameters, pixels: Pixels, store: PixelStore, on_step: Callable[[], object]
) -> TrainerSetup:
    """Build the network, load the weights to start from, and make its trainer.

    Args:
        runtime: Of this process.
        parameters: Of the training.
        pixels: The decoded images.
        store: Provides memory for the activations of frozen layers.
        on_step: Called between slow steps; an exception from it ends the work.
    Raises:
        Invalid: There is not enough memory or disk space for the activations.
        BadWeights: The version to start from cannot be used.
    """
    import keras

    keras.utils.set_random_seed(parameters.seed)
    network = TRAINABLE[parameters.network]
    model = build(parameters.network)
    on_step()
    if parameters.start_from is not None:
        with runtime.db.read() as session:
            version = registry.get_version(session, parameters.start_from)
        load_into(model, runtime.networks.weights(version))
    on_step()
    examples = {split: pixels.of(split) for split in (Split.TRAINING, Split.VALIDATION)}
    if not network.knows_neither or not (examples[Split.TRAINING].labels == len(CLASSES)).any():
        examples = {split: pixels.of_classes(split) for split in examples}
    if network.plan.only_last_layers:
        trainer = _train_last_layers(model, parameters, examples, store)
    else:
        trainer = Trainer(model, _recipe(parameters), examples[Split.TRAINING], examples[Split.VALIDATION])
    return TrainerSetup(model, trainer, network.float16)


def _train_last_layers(
    model: "keras.Model", parameters: Parameters, examples: dict[Split, Examples], store: PixelStore
) -> Trainer:
    last_layers = get_architecture(parameters.network).get_last_layers()
    freeze_other_layers(model, last_layers, has_neither=bool((examples[Split.TRAINING].labels == len(CLASSES)).any()))
    frozen, trained = split_at(model, last_layers.first)
    n_variants = {Split.TRAINING: 1 if parameters.augmentation == "none" else 2, Split.VALIDATION: 1}

    def make_activations(split: Split) -> ActivationExamples:
        images, labels = examples[split]
        buffer = store.make((n_variants[split], len(images), *frozen.output_shape[1:]), np.float16)
        return ActivationExamples(Activations(frozen, images, buffer), labels)

    recipe = _recipe(parameters, trains_last_layers=True)
    return Trainer(trained, recipe, make_activations(Split.TRAINING), make_activations(Split.VALIDATION))


def _recipe(parameters: Parameters, trains_last_layers: bool = False) -> Recipe:
    return Recipe(
        epochs=parameters.epochs,
        steps_per_epoch=parameters.steps_per_epoch,
        batch_size=parameters.batch_size,
        learning_rate=parameters.learning_rate,
        augmentation=NONE if trains_last_layers else AUGMENTATIONS[parameters.augmentation],
        label_smoothing=LABEL_SMOOTHING if trains_last_layers else 0.0,
        seed=parameters.seed,
    )
