"""Pictures that are made for harm, or broken at random, in real jobs: each has a result, and no process ends."""

import os
from collections import Counter
from collections.abc import Iterable
from itertools import chain, cycle, islice
from pathlib import Path

import pytest

from core.decoding.pool.decoder_pool import DEFAULT_DECODER
from tests.support import deadly_decoder, hostile_pictures
from tests.support.factories import make_tar
from tests.support.fuzzed_pictures import fuzzed_pictures
from tests.support.installation import QUICK, Installation
from tests.support.photographs import photographs
from tests.support.soundness import check_sound, read_results

SEED = 1
N_FUZZED = int(os.environ.get("PAWSORT_TEST_N_FUZZED", "10000"))
N_GOOD = int(os.environ.get("PAWSORT_TEST_N_GOOD", "10000"))
N_ENDLESS, N_HOSTILE = N_GOOD // 100, N_GOOD * 9 // 100
N_EACH, MAX_SHARD_BYTES = 250, 24 * 2**20
JOB_S = 1800.0

File = tuple[str, bytes]


def make_shards(files: Iterable[File]) -> list[bytes]:
    """Tars of so many files, or so many bytes, as a client makes them."""
    shards: list[bytes] = []
    some: list[File] = []
    for file in files:
        if len(some) == N_EACH or sum(len(data) for _, data in some) + len(file[1]) > MAX_SHARD_BYTES:
            shards.append(make_tar(some))
            some = []
        some.append(file)
    return [*shards, make_tar(some)]


def lasting(installation: Installation) -> dict[int, str]:
    """The processes that no picture may end: all but the decoder children."""
    return {one.pid: one.command for one in installation.processes() if "child_main" not in one.command}


def classify(installation: Installation, files: Iterable[File]) -> dict[str, tuple[int | None, int | None, str | None]]:
    """The results of a job, during which only decoder children have ended."""
    installation.wait_for_workers()
    before = lasting(installation)
    job = installation.classify(installation.send(make_shards(files)))
    installation.wait_for_job(job, JOB_S)
    after = lasting(installation)
    check_sound(installation.db, job)
    assert set(installation.attempts(job)) == {1}
    assert {pid: command for pid, command in before.items() if pid not in after} == {}
    return read_results(installation.db, job)


@pytest.mark.slow
def test_each_of_10_000_fuzzed_pictures_has_a_result_and_no_process_ends(tmp_path: Path) -> None:
    settings = {**QUICK, "PAWSORT_DECODER": DEFAULT_DECODER, "PAWSORT_DECODE_TIMEOUT_S": "3"}
    with Installation.running(tmp_path / "data", **settings) as one:
        files = ((f"fuzzed/{n}", data) for n, data in enumerate(fuzzed_pictures(SEED, N_FUZZED)))
        results = classify(one, files)
    print(Counter(code or "labelled" for _, _, code in results.values()), os.getloadavg())
    assert len(results) == N_FUZZED


@pytest.mark.slow
def test_hostile_pictures_change_no_label_of_10_000_good_ones(tmp_path: Path) -> None:
    pictures = cycle(photographs(1000))
    good = [(f"good/{n}.jpg", picture + b"%d" % n) for n, picture in enumerate(islice(pictures, N_GOOD))]
    endless = [
        (f"endless/{n}.jpg", data + deadly_decoder.HOLDS_THE_GIL) for n, (_, data) in enumerate(good[:N_ENDLESS])
    ]
    kinds = hostile_pictures.beyond_limits() | {"flat.webp": hostile_pictures.within_limits()["flat.webp"]}
    kinds.pop("strips.tif")  # of 2 MB each
    hostile = [(f"hostile/{n}/{name}", data) for n, (name, data) in enumerate(islice(cycle(kinds.items()), N_HOSTILE))]
    step = N_GOOD // (N_ENDLESS + N_HOSTILE)
    bad = iter(chain.from_iterable(zip(endless, *([iter(hostile)] * 9), strict=True)))
    mixed = chain.from_iterable((file, next(bad)) if n % step == 0 else (file,) for n, file in enumerate(good))
    with Installation.running(tmp_path / "data", **QUICK, PAWSORT_DECODE_TIMEOUT_S="3") as one:
        alone = classify(one, good)
        results = classify(one, mixed)
    codes = Counter((path.partition("/")[0], code) for path, (_, _, code) in results.items())
    print(codes, os.getloadavg())
    assert codes["good", None] == N_GOOD
    assert codes["endless", "decode_timeout"] == N_ENDLESS
    assert sum(n for (folder, _), n in codes.items() if folder == "hostile") == N_HOSTILE
    assert not [path for path, (label, _, _) in alone.items() if results[path][0] != label]
    assert max(abs(results[path][1] - confidence) for path, (_, confidence, _) in alone.items()) < 100  # millionths
