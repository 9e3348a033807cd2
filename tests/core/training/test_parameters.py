"""What a training may be told."""

from dataclasses import replace
from typing import Any

import pytest

from core.base.errors import Invalid
from core.training.parameters import choose_parameters

SEED: dict[str, Any] = {"network": "seed-cnn"}


def test_what_is_left_out_suits_the_amount_of_data() -> None:
    small, large = choose_parameters(SEED, 200), choose_parameters(SEED | {"epochs": None}, 60_000)
    assert (small.epochs, small.batch_size) == (60, 10)
    assert (large.epochs, large.batch_size) == (10, 64)


def test_what_goes_on_from_a_version_learns_more_slowly_unless_it_is_told_otherwise() -> None:
    anew, from_version = choose_parameters(SEED, 500), choose_parameters(SEED | {"start_from": 2}, 500)
    assert (anew.learning_rate, from_version.learning_rate) == (1e-3, 3e-5)
    assert choose_parameters(SEED | {"start_from": 2, "learning_rate": 0.01}, 500).learning_rate == 0.01
    lite = {"network": "efficientnet-lite0"}
    assert choose_parameters(lite | {"start_from": 2}, 500) == replace(choose_parameters(lite, 500), start_from=2)


def test_what_is_given_is_kept() -> None:
    given = {"network": "seed-cnn", "epochs": 2, "steps_per_epoch": 5, "learning_rate": 0.01, "augmentation": "none"}
    assert choose_parameters(given, 100).to_dict().items() >= given.items()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"network": "resnet"}, "network: expected one of .*seed-cnn.*; got 'resnet'"),
        ({"network": "efficientnet-lite0", "augmentation": "strong"}, "none, light for efficientnet-lite0, of which"),
        ({"epochs": 0}, "epochs: expected a whole number from 1 to 1,000; got 0"),
        ({"epochs": 2.5}, r"epochs: expected a whole number from 1 to 1,000; got 2\.5"),
        ({"batch_size": True}, "batch_size: expected a whole number"),
        ({"learning_rate": float("nan")}, "learning_rate: expected a number from 0.000001 to 0.1; got nan"),
        ({"learning_rate": 1}, "learning_rate: expected"),
        ({"steps_per_epoch": 0}, "steps_per_epoch: expected a whole number from 1 to 1,000,000; got 0"),
        ({"augmentation": "wild"}, "augmentation: expected one of none, light, strong; got 'wild'"),
        ({"seed": -1}, "seed: expected a whole number from 0 to 2,147,483,647; got -1"),
        ({"epochs": "ten"}, "epochs: expected a whole number from 1 to 1,000; got 'ten'"),
        ({"network": ["seed-cnn"]}, r"network: expected one of .*; got \['seed-cnn'\]"),
        ({"augmentation": {}}, r"augmentation: expected one of .*; got {}"),
        ({"learning_rate": "9" * 1000}, "learning_rate: expected a number .*; got '9{99}…"),
        ({"momentum": 0.9}, "momentum: there is no such parameter"),
    ],
)
def test_a_wrong_value_gets_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        choose_parameters({"network": "seed-cnn"} | given, 100)


def test_each_wrong_value_gets_its_own_sentence() -> None:
    with pytest.raises(Invalid) as caught:
        choose_parameters({"network": "seed-cnn", "epochs": 0, "seed": -1, "augmentation": "wild"}, 100)
    assert len(caught.value.message.split(". ")) == 3
