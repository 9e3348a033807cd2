"""All networks by name. A new one needs its module here, its bounds in `core.base.network_catalog` and a recipe in
`pretraining.recipes`; a test compares the three.
"""

from typing import TYPE_CHECKING

from model.architectures import efficientnet_lite, seed_cnn
from model.architectures.architecture import Architecture

if TYPE_CHECKING:
    import keras

ARCHITECTURES = {one.name: one for one in (seed_cnn.ARCHITECTURE, *efficientnet_lite.ARCHITECTURES)}


def get_architecture(network: str) -> Architecture:
    """The architecture of a network.

    Args:
        network: A name of `ARCHITECTURES`.
    Raises:
        ValueError: There is no network of that name.
    """
    if network not in ARCHITECTURES:
        raise ValueError(f"expected one of the networks {', '.join(sorted(ARCHITECTURES))}; got {network!r}")
    return ARCHITECTURES[network]


def build(network: str) -> "keras.Model":
    """A network with random weights, as `Architecture.build` makes it.

    Args:
        network: A name of `ARCHITECTURES`.
    Raises:
        ValueError: There is no network of that name.
    """
    return get_architecture(network).build()
