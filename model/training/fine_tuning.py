"""Fine-tuning of the last layers of a published network, so that it learns our classes and forgets little else.

The activations of the first layers are computed beforehand, in several variations of each image. The loss is that of a
head for our classes, plus a distillation loss: how far the network's own classifier has moved from the published one
(Li and Hoiem 2016, "Learning without forgetting", arXiv:1606.09282). The result is the running mean of the weights, or
a point between the published weights and it (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
arXiv:2109.01903).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture
from model.training.losses import NEITHER

if TYPE_CHECKING:
    import keras

WARMUP_STEPS = 200


@dataclass(frozen=True, slots=True)
class FineTuningRecipe:
    """How the last layers are fine-tuned.

    Attributes:
        first: The first trained layer. All after it are trained, except normalisation and the classifiers.
        epochs: How often each image is seen, each time in one of its variations.
        batch_size: Images for each step.
        learning_rate: The highest; it falls along half a cosine to zero.
        weight_decay: Decoupled, as in `model.training.recipe.Recipe`.
        label_smoothing: Likewise.
        distillation: Weight of the distillation loss.
        averaging: Decay of the running mean of the weights, for each step.
        share: How far to go from the published weights to the fine-tuned ones, 0 to 1.
        seed: Of order and variations.
    """

    first: str
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    distillation: float
    averaging: float
    share: float
    seed: int


class FineTuningExamples(NamedTuple):
    """Outputs of the published network for images, in several variations.

    Attributes:
        activations: For each variation float16 (N, height, width, channels), the input of the first trained layer.
        logits: For each variation float16 (N, K), the output of the published classifier.
        labels: int (N,): 0, 1, or 2 for neither, which only enters the distillation loss.
    """

    activations: Sequence[NDArray[np.float16]]
    logits: Sequence[NDArray[np.float16]]
    labels: NDArray[np.integer[Any]]


class FineTuner:
    """Fine-tunes one network by one recipe, resumable after each epoch.

    Args:
        model: A network with the published weights.
        architecture: Of the network; it names the layers of the features and of the published classifier.
        recipe: How to fine-tune.
        examples: The training images.
        head: float32 kernel (F, 1) and bias (1,) of the class head to begin with.
    """

    def __init__(
        self,
        model: "keras.Model",
        architecture: Architecture,
        recipe: FineTuningRecipe,
        examples: FineTuningExamples,
        head: Sequence[NDArray[np.float32]],
    ) -> None:
        import keras

        self._recipe, self._examples = recipe, examples
        self.n_epochs_done = 0
        self.n_steps = -(-len(examples.labels) // recipe.batch_size)
        outputs = [architecture.head.features, architecture.get_neither_head().classifier]
        self._last_layers = keras.Model(
            model.get_layer(recipe.first).input, [model.get_layer(name).output for name in outputs]
        )
        self._trained = _trained_variables(model, recipe.first)
        self._published = [np.asarray(variable) for variable in self._trained]
        self._head = [keras.Variable(array) for array in head]
        self._optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
        self._optimizer.build(self._variables)
        self._averages = [np.asarray(variable) for variable in self._variables]
        self._step = self._compile()

    @property
    def _variables(self) -> list[Any]:
        return [*self._trained, *self._head]

    def epochs(self) -> Iterator[tuple[float, float]]:
        """Run the remaining epochs. Yields the mean loss of the head and the mean distillation loss, in nats."""
        while self.n_epochs_done < self._recipe.epochs:
            sums = np.zeros(2)
            for index, (rows, variation) in enumerate(self._batches()):
                n_before = self.n_epochs_done * self.n_steps + index
                self._optimizer.learning_rate = self._rate(n_before)
                sums += [float(loss) for loss in self._step(*self._take(rows, variation))]
                self._average(n_before + 1)
            self.n_epochs_done += 1
            yield float(sums[0]) / self.n_steps, float(sums[1]) / self.n_steps

    def finish(self) -> None:
        """Leave in the model the weights at `share` of the way from the published ones to the running mean."""
        for variable, old, new in zip(self._trained, self._published, self._averages, strict=False):
            variable.assign((1 - self._recipe.share) * old + self._recipe.share * new)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to resume after the last whole epoch, as named arrays."""
        groups = {"now": self._variables, "average": self._averages, "optimizer": self._optimizer.variables}
        arrays = {
            f"{name}.{i:04}": np.asarray(variable) for name, group in groups.items() for i, variable in enumerate(group)
        }
        return arrays | {"n_epochs_done": np.array(self.n_epochs_done)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume from a result of `state`."""
        self.n_epochs_done = int(state["n_epochs_done"])
        for name, variables in (("now", self._variables), ("optimizer", self._optimizer.variables)):
            for index, variable in enumerate(variables):
                variable.assign(state[f"{name}.{index:04}"])
        self._averages = [state[f"average.{index:04}"] for index in range(len(self._averages))]

    def _batches(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """The rows of each step, sorted, which reads faster, and the variation of each row."""
        random, n = np.random.default_rng((self._recipe.seed, self.n_epochs_done)), len(self._examples.labels)
        order, variation = random.permutation(n), random.integers(0, len(self._examples.activations), n)
        for start in range(0, n, self._recipe.batch_size):
            rows = np.sort(order[start : start + self._recipe.batch_size])
            yield rows, variation[rows]

    def _take(self, rows: NDArray[np.intp], variation: NDArray[np.intp]) -> tuple[Any, Any, Any]:
        """Activations, published logits and labels of a step."""
        inputs = np.empty((len(rows), *self._examples.activations[0].shape[1:]), np.float16)
        published = np.empty((len(rows), self._examples.logits[0].shape[1]), np.float16)
        variations = zip(self._examples.activations, self._examples.logits, strict=True)
        for number, (activations, logits) in enumerate(variations):
            here = variation == number
            inputs[here], published[here] = activations[rows[here]], logits[rows[here]]
        return inputs, published.astype(np.float32), self._examples.labels[rows].astype(np.int32)

    def _rate(self, n_before: int) -> float:
        share = n_before / (self.n_steps * self._recipe.epochs)
        return self._recipe.learning_rate * min(1.0, (n_before + 1) / WARMUP_STEPS) * (1 + cos(pi * share)) / 2

    def _average(self, n_steps_done: int) -> None:
        # A long mean of the first steps would be mostly the initial weights, so it starts short.
        decay = min(self._recipe.averaging, (1 + n_steps_done) / (10 + n_steps_done))
        for index, variable in enumerate(self._variables):
            self._averages[index] = self._averages[index] + (1 - decay) * (np.asarray(variable) - self._averages[index])

    def _compile(self) -> Any:
        import tensorflow as tf

        recipe, last_layers, head, variables = self._recipe, self._last_layers, self._head, self._variables

        def step(inputs: Any, published: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                features, logits = last_layers(tf.cast(inputs, tf.float32), training=False)
                loss = _class_loss(tf.matmul(features, head[0]) + head[1], labels, recipe.label_smoothing)
                distillation_loss = tf.reduce_mean(_divergence(published, logits))
                total = loss + recipe.distillation * distillation_loss
            gradients = tape.gradient(total, [variable.value for variable in variables])
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return loss, distillation_loss

        return tf.function(step, autograph=False, reduce_retracing=True)


def _trained_variables(model: "keras.Model", first: str) -> list[Any]:
    """The trained weights: from a layer on, except those of normalisation and of the classifiers on top."""
    import keras

    names = [layer.name for layer in model.layers]
    after = model.layers[names.index(first) :]
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [variable for layer in after if isinstance(layer, kinds) for variable in layer.trainable_variables]


def _class_loss(logits: Any, labels: Any, smoothing: float) -> Any:
    """Binary cross-entropy of the images that have a class."""
    import tensorflow as tf

    has_class = tf.cast(labels < NEITHER, tf.float32)
    targets = tf.cast(labels == 1, tf.float32) * (1 - smoothing) + smoothing / 2
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits[:, 0])
    return tf.reduce_sum(has_class * losses) / tf.maximum(tf.reduce_sum(has_class), 1.0)


def _divergence(published: Any, logits: Any) -> Any:
    """Kullback-Leibler divergence of the classifier now from the published one, for each image, in nats."""
    import tensorflow as tf

    before, now = tf.nn.log_softmax(published), tf.nn.log_softmax(logits)
    return tf.reduce_sum(tf.exp(before) * (before - now), axis=1)
