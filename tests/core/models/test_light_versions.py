"""What a light version leaves to its teacher: pictures, and trainings."""

import pytest

from core.base.database import Database
from core.base.errors import BadWeights, Invalid
from core.models import registry
from core.training import training_jobs
from core.training.parameters import HEAD
from tests.support.factories import make_manifest, make_version
from tests.support.light_version import LIGHT, TEACHER, make_light_manifest, use_light_version

DATABASES = ("sqlite",)


def test_a_light_version_knows_its_teacher_and_others_have_none(db: Database) -> None:
    light, accurate = use_light_version(db)
    with db.read() as session:
        found = registry.find_teacher(session, registry.get_version(session, light))
        assert found is not None
        assert found.id == accurate
        assert registry.find_teacher(session, found) is None


def test_a_training_without_a_choice_starts_from_the_teacher(db: Database) -> None:
    _, accurate = use_light_version(db)
    with db.read() as session:
        assert registry.network_to_train(session) == TEACHER
        assert training_jobs.check_parameters(session, {"what": HEAD}, 100).start_from == accurate


def test_a_training_from_a_light_version_starts_from_its_teacher(db: Database) -> None:
    light, accurate = use_light_version(db)
    with db.read() as session:
        assert training_jobs.check_parameters(session, {"start_from": light}, 100).start_from == accurate


def test_a_light_network_cannot_be_trained_by_a_job(db: Database) -> None:
    use_light_version(db)
    with db.read() as session, pytest.raises(Invalid, match=f"network: expected one of .*; got '{LIGHT}'"):
        training_jobs.check_parameters(session, {"network": LIGHT}, 100)


def test_a_light_version_without_its_teacher_is_refused_with_a_sentence(db: Database) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_light_manifest("0" * 64), make_manifest()])
        light = registry.find_version(session, LIGHT)
        with pytest.raises(BadWeights, match="needs an accurate version, which is missing"):
            registry.find_teacher(session, light)


def test_a_version_that_cannot_be_trained_leaves_a_training_to_the_newest_of_the_default_network(db: Database) -> None:
    _, accurate = use_light_version(db)
    larger = make_version(db, "efficientnet-lite2", weights=b"larger")
    with db.write() as session:
        registry.promote(session, larger)
        assert registry.network_to_train(session) == TEACHER
        assert registry.find_trained(session, registry.get_version(session, larger)).id == accurate
