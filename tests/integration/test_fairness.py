"""People share an installation: a small folder waits neither behind another person's large one nor behind one's own."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import pytest

from pawsort.schemas import Counts
from tests.support.deadlines import within
from tests.support.factories import make_tar
from tests.support.installation import QUICK, Installation
from tests.support.photographs import photographs
from tests.support.pictures import jpeg
from tests.support.soundness import check_sound

N_SHARDS, N_EACH = 24, 250
N_LARGE, N_SMALL = 10_000, 20
OTHER_PERSON_S, SAME_PERSON_S = 5.0, 10.0
ALL_S = 900.0


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


def make_photographs(n: int, name: str) -> list[bytes]:
    """Shards of so many files of the size that people send, no two of them equal."""
    pictures = enumerate(islice(cycle(photographs(1000)), n))
    files = [(f"{name}/{number}.jpg", picture + f"{name}{number}".encode()) for number, picture in pictures]
    return [make_tar(files[start : start + N_EACH]) for start in range(0, n, N_EACH)]


@pytest.mark.slow
def test_a_small_folder_sent_after_a_large_one_is_done_long_before_it(installation: Installation) -> None:
    installation.wait_for_workers()
    large = installation.classify(installation.send(make_folder(N_SHARDS, N_EACH, "large")))
    small = installation.classify(installation.send(make_folder(1, 20, "small")))
    installation.wait_for_job(small)
    with installation.client() as client:
        left = client.jobs.get(large).counts
    installation.wait_for_job(large)
    check_sound(installation.db, large)
    check_sound(installation.db, small)
    assert left.done < left.n_images == N_SHARDS * N_EACH, "the large folder was done before the small one"


def send_large(installation: Installation, job: str, upload: str, shards: list[bytes]) -> None:
    with installation.client() as client:
        for seq, shard in enumerate(shards):
            client.uploads.put_shard(upload, seq, shard)
        client.uploads.complete(upload, len(shards))


def seconds_until_labelled(installation: Installation, name: str, token: str | None) -> float:
    """How long 20 pictures take, from before they are sent until all of them have results."""
    shards = make_photographs(N_SMALL, name)
    began_at = time.monotonic()
    job = installation.classify(installation.send(shards, name, token=token), token)
    installation.wait_for_job(job, 10 * SAME_PERSON_S)
    seconds = time.monotonic() - began_at
    check_sound(installation.db, job)
    return seconds


@pytest.mark.slow
@pytest.mark.parametrize("network", ["seed-cnn", "efficientnet-lite0"])
def test_20_pictures_wait_a_few_seconds_behind_and_beside_10_000(tmp_path: Path, network: str) -> None:
    settings = {"PAWSORT_DEFAULT_NETWORK": network, "PAWSORT_MIN_FREE_BYTES": "0"}
    with Installation.running(tmp_path / "data", **settings) as one, ThreadPoolExecutor(1) as sender:
        one.wait_for_workers()
        others = {"another person": one.create_token("somebody else"), "the same person": None}
        shards = make_photographs(N_LARGE, "large")
        upload = one.send([], "large", complete=False)
        large = one.classify(upload)
        sending = sender.submit(send_large, one, large, upload, shards)
        waited: dict[tuple[str, str], float] = {}
        for when in ("while they are sent", "while they wait"):
            one.wait_for(lambda: count(one, large).done, ALL_S, "the first of many pictures")
            for who, token in others.items():
                waited[who, when] = seconds_until_labelled(one, f"{who} {when}", token)
                left = count(one, large)
                assert left.done < N_LARGE, f"the many were done before {who} {when}"
                print(f"{network}: {who}, {when}: {waited[who, when]:.1f} s, {left.done} done of {left.n_images}")
            sending.result()
        one.wait_for_job(large, ALL_S)
        check_sound(one.db, large)
    print(f"load {os.getloadavg()}")
    limits = {"another person": OTHER_PERSON_S, "the same person": SAME_PERSON_S}
    assert {key: s for key, s in waited.items() if s > within(limits[key[0]])} == {}


def count(installation: Installation, job: str) -> Counts:
    with installation.client() as client:
        return client.jobs.get(job).counts
