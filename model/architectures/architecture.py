"""What the rest of the package asks about a network: how to build it, where its head is, what can be trained alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Head:
    """The linear layer that separates the two classes, and the features that it reads.

    Attributes:
        features: The layer whose output, (N, F), the head reads.
        class_layer: The linear layer from the features to the logit of the second class: kernel (F, 1), bias (1,).
        feature_map: The layer whose mean over a grid, (N, H, W, F), the features are; None if there is no such grid.
    """

    features: str
    class_layer: str
    feature_map: str | None = None


@dataclass(frozen=True, slots=True)
class NeitherHead:
    """The linear layer that separates pets from images of neither class.

    It reads two numbers for each image: how much a published classifier speaks for a pet (its evidence), and the
    absolute value of the class logit.

    Attributes:
        layer: The linear layer: kernel (2, 1), bias (1,).
        inputs: The layer that gives the two numbers, (N, 2), evidence first.
        classifier: The linear layer of the published classifier on the features: kernel (F, K), bias (K,).
        measure_evidence: From the classifier's logits, float32 (N, K), to the evidence in nats, float32 (N, 1).
    """

    layer: str
    inputs: str
    classifier: str
    measure_evidence: Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class LastLayers:
    """The layers that a training job trains when it leaves the others as they are.

    Attributes:
        first: The first of them; it and all layers after it are trained ...
        frozen: ... except these. Batch normalisation keeps its statistics and scales everywhere.
        neither_only: Layers that separate pets from everything else; frozen too when there is no image of neither.
    """

    first: str
    frozen: tuple[str, ...] = ()
    neither_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One network. `model.architectures.registry` has all of them by name.

    Attributes:
        name: As in requests, manifests and file names.
        build: Makes the network with random weights: from uint8 (N, side, side, 3), values 0 to 255, to float32 (N, 1),
            the probability of the second class, or (N, 3), the probabilities of both classes and of neither.
        head: Separates the two classes.
        neither_head: Separates pets from everything else; None if the network has no output for neither.
        last_layers: What a job trains of a network that it does not train as a whole; None if it trains all layers.
    """

    name: str
    build: "Callable[[], keras.Model]"
    head: Head
    neither_head: NeitherHead | None = None
    last_layers: LastLayers | None = None

    @property
    def above_features(self) -> tuple[str, ...]:
        """All layers with weights that come after the features; the other layers are the network's body."""
        neither = () if self.neither_head is None else (self.neither_head.classifier, self.neither_head.layer)
        return (self.head.class_layer, *neither)

    def is_above_features(self, weight: str) -> bool:
        """Whether a weight, such as `class.kernel`, belongs to a layer after the features."""
        return weight.partition(".")[0] in self.above_features

    def get_neither_head(self) -> NeitherHead:
        """The head for images of neither class.

        Raises:
            ValueError: The network has none.
        """
        if self.neither_head is None:
            raise ValueError(f"expected a network with an output for neither class; {self.name} has none")
        return self.neither_head

    def get_last_layers(self) -> LastLayers:
        """The layers that a job trains.

        Raises:
            ValueError: The network is always trained as a whole.
        """
        if self.last_layers is None:
            raise ValueError(f"expected a network whose last layers can be trained alone; {self.name} has none")
        return self.last_layers
