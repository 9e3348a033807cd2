"""`kill -9` of every process, each while a chunk is under way: nothing is lost, doubled or changed."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import func, select

from core.orm.uploads import Shard, Upload
from tests.support.deadlines import within
from tests.support.factories import make_tar
from tests.support.installation import END_S, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.pictures import jpeg
from tests.support.processes import Process, kill, living
from tests.support.soundness import Said, check_sound, read_results

N_SHARDS, N_EACH = 3, 6
N_SHARD_FILES = 256
HANGS_S = 60.0  # four leases, and the time to notice
N_KILLS = 3


@dataclass(frozen=True)
class Undisturbed:
    """An upload, and what a job over it says when nobody disturbs it."""

    upload: str
    results: dict[str, Said]


@pytest.fixture(scope="module")
def undisturbed(installation: Installation) -> Undisturbed:
    upload = installation.send(make_shards(N_SHARDS, N_EACH))
    job = installation.classify(upload)
    installation.wait_for_job(job, START_S)
    check_sound(installation.db, job)
    results = read_results(installation.db, job)
    assert len(results) == N_SHARDS * N_EACH
    assert all(code is None for _, _, code in results.values())
    return Undisturbed(upload, results)


def check_the_same(installation: Installation, job: str, undisturbed: Undisturbed) -> None:
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    assert read_results(installation.db, job) == undisturbed.results


@pytest.mark.slow
def test_a_killed_inference_process_loses_nothing(installation: Installation, undisturbed: Undisturbed) -> None:
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        installation.kill_under_way(job)
    check_the_same(installation, job, undisturbed)
    assert max(installation.attempts(job)) > 1


def test_a_killed_inference_worker_loses_nothing(installation: Installation, undisturbed: Undisturbed) -> None:
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        installation.stop_under_way(job)
        (parent,) = installation.find("inference@")
        kill(parent)
    check_the_same(installation, job, undisturbed)
    assert max(installation.attempts(job)) > 1
    assert installation.find("inference@") != [parent]


@pytest.mark.slow
def test_a_chunk_whose_workers_are_killed_again_and_again_is_labelled_all_the_same(installation: Installation) -> None:
    upload = installation.send(make_shards(1, N_EACH))
    with installation.holding():
        first, second = installation.classify(upload), installation.classify(upload)
        killed = {installation.kill_under_way(second) for _ in range(N_KILLS)}
    assert len(killed) == N_KILLS
    for job in (first, second):
        installation.wait_for_job(job)
        check_sound(installation.db, job)
    assert read_results(installation.db, second) == read_results(installation.db, first)
    assert installation.attempts(second) == [N_KILLS + 1]  # the last one decoded in a child of its own


def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(
    installation: Installation, undisturbed: Undisturbed
) -> None:
    installation.wait_for_workers()
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        frozen = installation.stop_under_way(job)
    log = installation.data_dir / "logs" / "inference.log"
    known = log.read_text().count("lease_lost")
    try:
        check_the_same(installation, job, undisturbed)
    finally:
        os.kill(frozen, signal.SIGCONT)
    installation.wait_for(
        lambda: log.read_text().count("lease_lost") > known or not living([frozen]),  # it was ended if it took long
        END_S,
        "the results to be dropped",
    )
    check_the_same(installation, job, undisturbed)
    assert max(installation.attempts(job)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("is_parent", [False, True], ids=["a process of the pool", "the worker itself"])
def test_a_process_that_hangs_is_ended_and_replaced(installation: Installation, is_parent: bool) -> None:
    (parent,), before = installation.find("inference@"), installation.wait_for_workers()
    victim = parent if is_parent else before[0]
    os.kill(victim, signal.SIGSTOP)
    installation.wait_for(lambda: not living([victim]), HANGS_S, "the process to be ended")
    after = installation.wait_for(
        lambda: {*installation.wait_for_workers()} - {victim, *(before if is_parent else ())}, START_S, "a successor"
    )
    assert len(after) >= 1
    assert (installation.find("inference@") == [parent]) is not is_parent


def web_servers(installation: Installation) -> list[int]:
    return installation.find("web.wsgi")


def web_workers(installation: Installation) -> list[int]:
    return [pid for server in web_servers(installation) for pid in installation.find("web.wsgi", child_of=server)]


def maintenance_workers(installation: Installation) -> list[int]:
    return installation.find("maintenance@")


def valkeys(installation: Installation) -> list[int]:
    return installation.find("valkey")


@pytest.mark.parametrize("find", [web_servers, web_workers, maintenance_workers, valkeys])
def test_a_killed_helper_disturbs_no_job(
    installation: Installation, undisturbed: Undisturbed, find: Callable[[Installation], list[int]]
) -> None:
    (victim, *_) = installation.wait_for(lambda: find(installation), START_S, "what is to be killed")
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        installation.wait_under_way(job)
        kill(victim)
    check_the_same(installation, job, undisturbed)
    installation.wait_for(lambda: {*find(installation)} - {victim}, START_S, "a successor")


@pytest.mark.slow
def test_what_the_workers_themselves_have_started_may_be_killed_too(
    installation: Installation, undisturbed: Undisturbed
) -> None:
    workers = installation.wait_for_workers()

    def helpers() -> list[Process]:
        found = [one for one in installation.processes() if one.parent != installation.pid and one.pid not in workers]
        return found if any("beat" in one.command for one in found) else []

    for one in installation.wait_for(helpers, START_S, "a beat"):
        with suppress(ProcessLookupError):  # it has ended together with another one
            kill(one.pid)
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        installation.kill_under_way(job)  # which the reconciler, woken by the beat, has to find
    check_the_same(installation, job, undisturbed)


def test_everything_killed_at_once_loses_nothing(installation: Installation, undisturbed: Undisturbed) -> None:
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        installation.stop_under_way(job)
    killed = [one.pid for one in installation.processes() if "guard.py" not in one.command]
    for pid in killed:
        kill(pid)
    check_the_same(installation, job, undisturbed)
    assert max(installation.attempts(job)) > 1


def test_an_archive_whose_receiver_is_killed_can_be_sent_again(installation: Installation) -> None:
    # Larger than what the server reads at a time: it stores a shard while the rest is still to come.
    files = [(f"many/{number:03}.jpg", jpeg(number) + bytes(20_000)) for number in range(N_SHARD_FILES + 100)]
    packed = make_tar(files)
    job = str(uuid4())

    def has_a_shard() -> bool:
        with installation.db.read() as session:
            of_upload = select(func.count()).select_from(Shard).join(Upload).where(Upload.uuid == UUID(job))
            return session.scalars(of_upload).one() > 0

    def body() -> Iterator[bytes]:
        cut = len(packed) * 9 // 10
        yield packed[:cut]
        installation.wait_for(has_a_shard, END_S, "the first shard to be stored")
        kill(web_servers(installation)[0])
        while True:
            yield packed[cut : cut + 1]

    with installation.http() as http, pytest.raises(httpx2.TransportError):
        http.put(f"/archives?id={job}", content=body())
    assert installation.state(job) == "receiving"
    with installation.client() as client, tempfile.TemporaryFile() as file:
        file.write(packed)
        assert client.uploads.put_archive(job, file).id == job
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    assert sorted(read_results(installation.db, job)) == [path for path, _ in files]


@pytest.mark.slow
def test_a_web_server_killed_again_and_again_loses_no_shard(
    installation: Installation, undisturbed: Undisturbed
) -> None:
    shards = make_shards(N_SHARDS * 2, N_EACH // 2)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(installation.send, shards)
        for _ in range(3):
            kill(installation.wait_for(lambda: installation.find("web.wsgi"), START_S, "a web server")[0])
        job = installation.classify(sending.result(within(START_S)))
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    assert read_results(installation.db, job).keys() == undisturbed.results.keys()


@pytest.mark.slow
def test_a_killed_instance_goes_on_where_it_was_when_it_is_started_again(
    installation: Installation, undisturbed: Undisturbed
) -> None:
    with installation.holding():
        job = installation.classify(undisturbed.upload)
        installation.stop_under_way(job)
    children = installation.kill()
    installation.wait_for(lambda: not living(children), 10, "everything that it had started to end")
    installation.start()
    check_the_same(installation, job, undisturbed)
    assert max(installation.attempts(job)) > 1
