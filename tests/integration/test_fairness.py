"""Two people share an installation: a small folder does not wait behind a large one."""

from collections.abc import Iterator

import pytest

from tests.support.factories import make_tar
from tests.support.installation import QUICK, Installation
from tests.support.pictures import jpeg
from tests.support.soundness import check_sound

N_SHARDS, N_EACH = 24, 250


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation.running(tmp_path_factory.mktemp("fair"), **QUICK) as one:
        yield one


def make_folder(n_shards: int, n_each: int, name: str) -> list[bytes]:
    picture = jpeg(1)
    return [
        make_tar({f"{name}/{shard}-{n}.jpg": picture + f"{name}{shard}-{n}".encode() for n in range(n_each)})
        for shard in range(n_shards)
    ]


def test_a_small_folder_sent_after_a_large_one_is_done_long_before_it(installation: Installation) -> None:
    installation.wait_for_workers()
    large = installation.classify(installation.send(make_folder(N_SHARDS, N_EACH, "large")))
    small = installation.classify(installation.send(make_folder(1, 20, "small")))
    installation.wait_for_job(small)
    with installation.client() as client:
        left = client.get_job(large)["counts"]
    installation.wait_for_job(large)
    check_sound(installation.db, large)
    check_sound(installation.db, small)
    assert left["done"] < left["total"] == N_SHARDS * N_EACH, "the large folder was done before the small one"
