"""Files that kill, hang or starve the decoder: each costs itself a result, nothing else."""

import pytest

from tests.support import deadly_decoder
from tests.support.factories import make_tar
from tests.support.installation import START_S, Installation
from tests.support.photographs import photographs
from tests.support.soundness import Said, check_sound, read_results

N_GOOD = 8


def classify(installation: Installation, marked: dict[str, bytes]) -> tuple[dict[str, Said], list[int]]:
    """Results by path, and the attempts, of one shard that holds good pictures and marked ones among them."""
    pictures = photographs(N_GOOD + len(marked))
    good = [(f"good/{number}.jpg", picture) for number, picture in enumerate(pictures[:N_GOOD])]
    bad = [(path, data + mark) for (path, mark), data in zip(marked.items(), pictures[N_GOOD:], strict=True)]
    job = installation.classify(installation.send([make_tar([*good[:3], *bad, *good[3:]])]))
    installation.wait_for_job(job, START_S)
    check_sound(installation.db, job)
    return read_results(installation.db, job), installation.attempts(job)


def check_good(results: dict[str, Said], installation: Installation) -> None:
    """The other pictures of the chunk have the labels that they have without such neighbours."""
    alone, _ = classify(installation, {})
    assert {path: said[:1] for path, said in results.items() if path in alone} == {
        path: said[:1] for path, said in alone.items()
    }
    for path, (_, confidence, code) in alone.items():
        assert code is None
        assert abs(results[path][1] - confidence) < 100  # millionths; the batch has another size


@pytest.mark.slow
def test_files_that_kill_or_hang_the_decoder_fail_alone(installation: Installation) -> None:
    crashing = {
        "killed.jpg": deadly_decoder.KILLED,
        "exits.jpg": deadly_decoder.EXITS,
        "segfault.jpg": deadly_decoder.SEGFAULT,
        "raises.jpg": deadly_decoder.RAISES,
    }
    hanging = {"holds_the_gil.jpg": deadly_decoder.HOLDS_THE_GIL}
    results, attempts = classify(installation, {**crashing, **hanging})
    codes = {path: code for path, (_, _, code) in results.items() if code}
    assert codes == dict.fromkeys(crashing, "decoder_crashed") | dict.fromkeys(hanging, "decode_timeout")
    assert attempts == [1]
    check_good(results, installation)


@pytest.mark.slow
@pytest.mark.parametrize("mark", [deadly_decoder.SLEEPS, deadly_decoder.HOLDS_THE_GIL], ids=["sleeps", "holds the GIL"])
def test_a_hanging_file_alone_in_its_chunk_ends_as_a_timeout(installation: Installation, mark: bytes) -> None:
    job = installation.classify(installation.send([make_tar({"hangs.jpg": photographs(1)[0] + mark})]))
    installation.wait_for_job(job, START_S)
    check_sound(installation.db, job)
    assert read_results(installation.db, job) == {"hangs.jpg": (None, None, "decode_timeout")}


def test_a_file_that_takes_all_memory_fails_alone_and_the_worker_lives_on(installation: Installation) -> None:
    workers = sorted(installation.wait_for_workers())
    results, attempts = classify(installation, {"no_memory.jpg": deadly_decoder.NO_MEMORY})
    assert results["no_memory.jpg"] == (None, None, "out_of_memory")
    assert attempts == [1]
    check_good(results, installation)
    assert sorted(installation.wait_for_workers()) == workers
