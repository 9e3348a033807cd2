"""People who use an installation as they do on any day: uploads, pages, exports, corrections, trainings, schedules."""

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx2

from pawsort.api.errors import ClientError
from pawsort.operations.jobs import ENDED
from pawsort.schemas import LabelInput, TrainingParametersInput
from tests.support.factories import make_tar
from tests.support.installation import Installation
from tests.support.login import csrf_in
from tests.support.photographs import photographs

N_PICTURES = 60
SHARD_SIZES = (4, 24)
MAX_JOBS = 8  # of each person: older ones are deleted, so that what is kept does not grow
EXPORTS = ("export.csv", "export.xlsx", "export.jsonl", "export.parquet", "export.zip", "report.html")
PAGES = ("/", "/train", "/schedules", "/system", "/account")
TRAINING: TrainingParametersInput = {"network": "seed-cnn", "epochs": 1, "steps_per_epoch": 4, "batch_size": 8}


class Person(threading.Thread):
    """Somebody who does one thing after another, chosen at random, until told to stop.

    Args:
        incoming: A folder from which schedules import.
        hook: The address that webhooks are sent to.
        pause_s: Between two acts, on average.
    """

    def __init__(self, installation: Installation, incoming: Path, hook: str, pause_s: float, seed: int) -> None:
        super().__init__(name=f"person {seed}", daemon=True)
        self._installation, self._incoming, self._hook, self._pause_s = installation, incoming, hook, pause_s
        self._chance, self._pictures = random.Random(seed), photographs(N_PICTURES)
        self._number, self._seed = itertools.count(), seed
        self._is_over = threading.Event()
        self._jobs: list[str] = []
        self.acts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def stop(self) -> None:
        """End after the present act."""
        self._is_over.set()
        self.join()

    def run(self) -> None:
        acts: dict[Callable[[], None], int] = {
            self._upload: 40,
            self._look_at_pages: 60,
            self._look_at_pictures: 60,
            self._export: 30,
            self._correct: 30,
            self._pause_and_resume: 10,
            self._cancel_and_retry: 10,
            self._sort_again: 10,
            self._let_a_schedule_run: 6,
            self._make_and_delete_a_webhook: 4,
            self._train: 1,
        }
        address = self._installation.record.address
        with (
            self._installation.client() as self._client,
            httpx2.Client(base_url=address, timeout=60.0, trust_env=False) as self._browser,
        ):
            self._log_in()
            while not self._is_over.wait(self._chance.uniform(0, 2 * self._pause_s)):
                act = self._chance.choices(list(acts), list(acts.values()))[0]
                self._do(act)

    def _do(self, act: Callable[[], None]) -> None:
        name = act.__name__.strip("_").replace("_", " ")
        try:
            act()
            self.acts[name] += 1
        except (ClientError, httpx2.HTTPError, AssertionError, LookupError, OSError) as error:
            self.refused[f"{name}: {str(error)[:100]}"] += 1

    def _log_in(self) -> None:
        fields = {"csrf_token": csrf_in(self._browser.get("/login").text), "token": self._installation.record.token}
        answer = self._browser.post("/login", data=fields)
        assert answer.status_code == 303, answer.text

    def _some_job(self) -> str:
        if not self._jobs:
            self._upload()
        return self._chance.choice(self._jobs)

    def _new_pictures(self, n: int) -> list[tuple[str, bytes]]:
        """Files that nobody has sent before."""
        chosen = self._chance.choices(self._pictures, k=n)
        return [(f"folder/{k % 2}/{k:03}.jpg", data + os.urandom(16)) for k, data in enumerate(chosen)]

    def _upload(self) -> None:
        files = self._new_pictures(self._chance.randint(*SHARD_SIZES))
        half = len(files) // 2
        upload = self._installation.send([make_tar(files[:half]), make_tar(files[half:])], f"folder {self._seed}")
        job = self._installation.classify(upload)
        self._jobs.append(job)
        if self._chance.random() < 0.5:
            self._follow_by_events(job)
        else:
            self._follow_by_asking(job)
        while len(self._jobs) > MAX_JOBS:
            self._client.jobs.delete(self._jobs.pop(0))

    def _follow_by_events(self, job: str) -> None:
        with self._browser.stream("GET", f"/api/v1/jobs/{job}/events") as answer:
            for line in answer.iter_lines():
                if self._is_over.is_set() or '"state":"done"' in line.replace(" ", ""):
                    return

    def _follow_by_asking(self, job: str) -> None:
        while not self._is_over.wait(0.5):
            if self._client.jobs.get(job).state in ENDED:
                return

    def _look_at_pages(self) -> None:
        for path in (*self._chance.sample(PAGES, 2), f"/jobs/{self._some_job()}"):
            answer = self._browser.get(path)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"

    def _look_at_pictures(self) -> None:
        for one in itertools.islice(self._client.jobs.results(self._some_job()), 8):
            self._browser.get(f"/api/v1/images/{one.image_id}/thumbnail").raise_for_status()

    def _export(self) -> None:
        path = f"/api/v1/jobs/{self._some_job()}/{self._chance.choice(EXPORTS)}"
        with self._browser.stream("GET", path) as answer:
            answer.raise_for_status()
            for _ in answer.iter_bytes():
                pass

    def _correct(self) -> None:
        results = list(itertools.islice(self._client.jobs.results(self._some_job()), 6))
        items: list[LabelInput] = [
            {"image_id": one.image_id, "label": "cat" if self._chance.random() < 0.5 else "dog"} for one in results
        ]
        batch = str(uuid4())
        self._client.labels.add(items, batch=batch)
        if self._chance.random() < 0.3:
            self._client.labels.undo_batch(batch)

    def _pause_and_resume(self) -> None:
        job = self._some_job()
        with suppress(ClientError):  # it has ended
            self._client.jobs.pause(job)
            self._client.jobs.resume(job)

    def _cancel_and_retry(self) -> None:
        job = self._some_job()
        with suppress(ClientError):  # it has ended
            self._client.jobs.cancel(job)
        with suppress(ClientError):
            self._client.jobs.retry(job)

    def _sort_again(self) -> None:
        upload = self._client.jobs.get(self._some_job()).upload
        assert upload is not None
        job = self._installation.classify(upload)
        self._follow_by_asking(job)
        self._client.jobs.delete(job)

    def _let_a_schedule_run(self) -> None:
        folder = self._incoming / str(self._seed)
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, data in self._new_pictures(6):
            path = folder / f"{next(self._number)}-{Path(name).name}"
            path.write_bytes(data)
            os.utime(path, (time.time() - 3600,) * 2)
        source = {"source": str(folder)}
        made = self._client.schedules.create(name="incoming", kind="classify", cron="0 0 1 1 *", parameters=source)
        self._client.schedules.run(made.id)
        until = time.monotonic() + 120
        while time.monotonic() < until and not self._is_over.wait(1.0):
            runs = list(self._client.schedules.runs(made.id))
            if runs and runs[0].state in ("done", "failed"):
                break
        self._client.schedules.delete(made.id)

    def _make_and_delete_a_webhook(self) -> None:
        webhook = self._client.webhooks.create(name="archive", url=self._hook).id
        self._upload()
        self._client.webhooks.test(webhook)
        self._is_over.wait(5.0)
        self._client.webhooks.delete(webhook)

    def _train(self) -> None:
        upload = str(uuid4())
        self._client.uploads.create(upload, name="pets", labelled=True)
        files = [
            (f"pets/{('cats', 'dogs')[k % 2]}/{k}.jpg", data) for k, (_, data) in enumerate(self._new_pictures(40))
        ]
        self._client.uploads.put_shard(upload, 0, make_tar(files))
        self._client.uploads.complete(upload, 1)
        self._follow_by_asking(self._client.trainings.start([upload], **TRAINING).id)
