"""Distillation: a light network learns to answer as an accurate one does (Hinton et al. 2015, arXiv:1503.02531).

Both see the same augmented image (Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and
consistent", arXiv:2106.05237). The loss is the cross-entropy between the student's probabilities and a mean of the
teacher's and the label, plus how far the student's published classifier is from the teacher's, from which both know
what is neither a cat nor a dog.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture
from model.training.augmentation import NONE, augment
from model.training.examples import Examples
from model.training.losses import NEITHER
from model.training.recipe import Recipe, learning_rate

if TYPE_CHECKING:
    import keras

PLAIN_EVERY = 3  # of so many steps one shows its images without augmentation, as they will be seen in use


@dataclass(frozen=True, slots=True)
class DistillationRecipe:
    """How a student is trained.

    Attributes:
        recipe: Epochs, batches, learning rate, augmentation, seed.
        label_share: Weight of the label in the target, 0 to 1; the rest is that of the teacher.
        published_share: Weight of the loss between the published classifiers of both.
        source_px: Side to which images are decoded.
        n_drawn: How many negatives of each kind are drawn.
        negative_repeats: How often an epoch shows each photograph of neither class.
    """

    recipe: Recipe
    label_share: float
    published_share: float
    source_px: int
    n_drawn: int
    negative_repeats: int


class Answers(NamedTuple):
    """What the accurate network says of N images.

    Attributes:
        outputs: float32 (N, 3), 0 to 1, before calibration.
        logits: float32 (N, K), of its published classifier.
    """

    outputs: NDArray[np.float32]
    logits: NDArray[np.float32]


class Distiller:
    """Trains one student by one recipe, resumable after each epoch.

    Args:
        model: The student, with the weights to start from.
        architecture: Of both networks.
        recipe: How to train.
        ask_teacher: From images in the size of the student's input to the answers of the accurate network.
        examples: The training images; labels 0, 1, or 2 for neither.
    """

    def __init__(
        self,
        model: "keras.Model",
        architecture: Architecture,
        recipe: DistillationRecipe,
        ask_teacher: Callable[[NDArray[np.uint8]], Answers],
        examples: Examples,
    ) -> None:
        import keras

        self._recipe, self._ask_teacher, self._examples = recipe, ask_teacher, examples
        self._model = model
        classifier = model.get_layer(architecture.get_neither_head().classifier)
        classifier.trainable = False
        self._both = keras.Model(model.input, [model.output, classifier.output])
        self.n_epochs_done = 0
        self.n_steps = -(-len(examples.labels) // recipe.recipe.batch_size)
        self._optimizer = keras.optimizers.AdamW(
            recipe.recipe.learning_rate, weight_decay=recipe.recipe.weight_decay, clipnorm=1.0
        )
        self._optimizer.build(model.trainable_variables)
        self._averages = self._weights()
        self._augment = self._trace_augmentation()
        self._step = self._compile()

    def epochs(self) -> Iterator[float]:
        """Run the remaining epochs. Yields the mean loss of each, in nats."""
        recipe = self._recipe.recipe
        while self.n_epochs_done < recipe.epochs:
            total = 0.0
            for index, rows in enumerate(self._batches()):
                n_before = self.n_epochs_done * self.n_steps + index
                self._optimizer.learning_rate = learning_rate(recipe, n_before / self.n_steps)
                total += self._take_step(rows, n_before)
                self._average(n_before + 1)
            self.n_epochs_done += 1
            yield total / self.n_steps

    def finish(self) -> None:
        """Leave the running mean of the weights in the model."""
        self._model.set_weights(self._averages)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to resume after the last whole epoch, as named arrays."""
        optimizer = [np.asarray(variable) for variable in self._optimizer.variables]
        groups = {"now": self._weights(), "average": self._averages, "optimizer": optimizer}
        arrays = {f"{name}.{i:04}": array for name, group in groups.items() for i, array in enumerate(group)}
        return arrays | {"n_epochs_done": np.array(self.n_epochs_done)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume from a result of `state`."""
        self.n_epochs_done = int(state["n_epochs_done"])
        self._model.set_weights(_group(state, "now"))
        self._averages = _group(state, "average")
        for variable, array in zip(self._optimizer.variables, _group(state, "optimizer"), strict=True):
            variable.assign(array)

    def _weights(self) -> list[NDArray[Any]]:
        return [np.array(weight) for weight in self._model.get_weights()]

    def _batches(self) -> Iterator[NDArray[np.intp]]:
        random = np.random.default_rng((self._recipe.recipe.seed, self.n_epochs_done))
        order, size = random.permutation(len(self._examples.labels)), self._recipe.recipe.batch_size
        for start in range(0, len(order), size):
            yield np.sort(order[start : start + size])

    def _take_step(self, rows: NDArray[np.intp], n_before: int) -> float:
        import tensorflow as tf

        seed = tf.constant([self._recipe.recipe.seed, n_before], tf.int32)
        pixels = self._augment[n_before % PLAIN_EVERY == 0](self._examples.images[rows], seed)
        answers, share = self._ask_teacher(pixels.numpy()), self._recipe.label_share
        labels = np.eye(NEITHER + 1, dtype=np.float32)[self._examples.labels[rows]]
        return float(self._step(pixels, share * labels + (1 - share) * answers.outputs, answers.logits))

    def _average(self, n_steps_done: int) -> None:
        # A long mean of the first steps would be mostly the initial weights, so it starts short.
        decay = min(self._recipe.recipe.averaging, (1 + n_steps_done) / (10 + n_steps_done))
        for average, variable in zip(self._averages, self._model.weights, strict=True):
            average += (1 - decay) * (np.asarray(variable) - average)

    def _trace_augmentation(self) -> tuple[Any, Any]:
        """Augmentation, and none, as graphs."""
        import tensorflow as tf

        side_px = int(self._model.input_shape[1])

        def trace(limits: Any) -> Any:
            return tf.function(
                lambda images, seed: augment(images, side_px, limits, seed), autograph=False, reduce_retracing=True
            )

        return trace(self._recipe.recipe.augmentation), trace(NONE)

    def _compile(self) -> Any:
        import tensorflow as tf

        model, variables, share = self._both, self._model.trainable_variables, self._recipe.published_share

        def step(pixels: Any, targets: Any, published: Any) -> Any:
            with tf.GradientTape() as tape:
                outputs, logits = model(pixels, training=True)
                answers = -tf.reduce_sum(targets * tf.math.log(tf.maximum(outputs, 1e-7)), axis=1)
                known = -tf.reduce_sum(tf.nn.softmax(published) * tf.nn.log_softmax(logits), axis=1)
                loss = tf.reduce_mean(answers) + share * tf.reduce_mean(known)
            self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

        return tf.function(step, autograph=False, reduce_retracing=True)


def _group(state: Mapping[str, NDArray[Any]], part: str) -> list[NDArray[Any]]:
    return [state[name] for name in sorted(state) if name.startswith(f"{part}.")]
