"""The HTTP interface as Python calls. It knows the server's addresses and answers, and none of its code."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, Self, TypeVar

import httpx2

from pawsort.api.answers import (
    AddedLabels,
    AuditEntry,
    Corrections,
    Deployment,
    FolderLabels,
    Job,
    ModelVersion,
    PromisedThreshold,
    PromotionCheck,
    RetriedJobs,
    Schedule,
    ScheduleRun,
    TrainingCurve,
    TrainingData,
    UndoneLabels,
    Upload,
)
from pawsort.api.connection import READ_BYTES, TIMEOUT, Connection
from pawsort.api.errors import BadArchive, ClientError, RequestFailed
from pawsort.api.first_contact import greet
from pawsort.api.retries import Retries, explain_failure
from pawsort.api.transport import Transport

Answer = TypeVar("Answer")

API = "/api/v1"
PARTIAL = "Pawsort-Partial"


class Export(NamedTuple):
    """An export as it arrives.

    Attributes:
        is_partial: The job has not ended, and files without a result so far are missing.
        began_at: When the server began it, by its own clock, to the second.
    """

    blocks: Iterator[bytes]
    is_partial: bool
    began_at: datetime


class PawsortClient:
    """One server, one token. Safe to use from several threads at once.

    Every call that changes something carries an id chosen by the caller, so repeating it is harmless. Calls are retried
    when the connection breaks or the server is busy.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        retries: Retries | None = None,
        timeout: httpx2.Timeout = TIMEOUT,
    ) -> None:
        self.server = server.rstrip("/")
        self.transport = Transport(Connection(self.server, token, timeout), retries)
        self._retries, self._http = self.transport.retries, self.transport.http

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Threads that wait to retry give up."""
        self.transport.close()

    def create_upload(
        self,
        upload: str,
        name: str | None = None,
        labelled: bool = False,
        discard_originals: bool = False,
        for_training: bool = False,
    ) -> Upload:
        wishes = {"labelled": labelled, "discard_originals": discard_originals, "for_training": for_training}
        body = _without_none(name=name, **{wish: True for wish, is_made in wishes.items() if is_made})
        return self._json(Upload, "PUT", f"{API}/uploads/{upload}", json=body)

    def get_upload(self, upload: str) -> Upload:
        return self._json(Upload, "GET", f"{API}/uploads/{upload}")

    def delete_upload(self, upload: str) -> None:
        """Delete an upload that no job works on."""
        self._call("DELETE", f"{API}/uploads/{upload}")

    def put_shard(self, upload: str, seq: int, tar: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-tar"}
        return self._json(dict[str, Any], "PUT", f"{API}/uploads/{upload}/shards/{seq}", content=tar, headers=headers)

    def complete_upload(self, upload: str, n_shards: int) -> dict[str, Any]:
        return self._json(dict[str, Any], "POST", f"{API}/uploads/{upload}/complete", json={"n_shards": n_shards})

    def finish_partial_upload(self, upload: str) -> dict[str, Any]:
        """Complete an upload although shards are missing."""
        return self._json(dict[str, Any], "POST", f"{API}/uploads/{upload}/complete", json={"partial": True})

    def create_job(
        self,
        job: str,
        upload: str,
        *,
        model: str | None = None,
        threshold: float | None = None,
        name: str | None = None,
    ) -> Job:
        body = _without_none(upload=upload, model=model, threshold=threshold, name=name)
        return self._json(Job, "PUT", f"{API}/jobs/{job}", json=body)

    def import_source(
        self,
        job: str,
        source: str,
        *,
        model: str | None = None,
        threshold: float | None = None,
        name: str | None = None,
    ) -> Job:
        """Let the server read a folder or bucket prefix of its own. Returns the job that classifies it."""
        body = _without_none(id=job, source=source, model=model, threshold=threshold, name=name)
        return self._json(Job, "POST", f"{API}/imports", json=body)

    def upload_archive(
        self,
        archive: str,
        body: BinaryIO,
        *,
        name: str | None = None,
        model: str | None = None,
        threshold: float | None = None,
        discard_originals: bool = False,
        names: str | None = None,
        everything: bool = False,
    ) -> Job:
        """Stream an archive as it is. Returns the job that classifies it.

        Args:
            archive: An id chosen by the caller; uploading again under the same id is harmless.
            body: The file, read from its start at each attempt.
            names: Encoding of names in it that do not say theirs.
            everything: Whether to take what systems and tools leave behind as well.
        Raises:
            BadArchive: It is incomplete or cannot be read. The error names the job with the files before that point.
        """
        options = {"model": model, "threshold": threshold, "discard_originals": discard_originals or None}
        params = _without_none(id=archive, name=name, names=names, everything=everything or None, **options)

        def send() -> httpx2.Response:
            body.seek(0)
            return self._http.put(f"{API}/archives", params=params, content=_blocks(body))

        try:
            answer: Job = self._retries.call(send).json()
        except RequestFailed as failure:
            if failure.status == httpx2.codes.UNPROCESSABLE_CONTENT:
                raise BadArchive(failure.message, failure.problem.get("job")) from failure
            raise
        return answer

    def get_job(self, job: str) -> Job:
        return self._json(Job, "GET", f"{API}/jobs/{job}")

    def poll_job(self, job: str, etag: str | None) -> tuple[Job | None, str | None]:
        """Return the job and its ETag. The job is None when nothing has changed since `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        response = self._call("GET", f"{API}/jobs/{job}", headers=headers)
        if response.status_code == httpx2.codes.NOT_MODIFIED:
            return None, etag
        return response.json(), response.headers.get("ETag")

    def cancel_job(self, job: str, keep_best: bool = False) -> Job:
        """Cancel a job. With `keep_best`, the best epoch of a training so far becomes a version."""
        return self._json(Job, "POST", f"{API}/jobs/{job}/cancel", json={"keep_best": keep_best})

    def retry_job(self, job: str) -> Job:
        return self._json(Job, "POST", f"{API}/jobs/{job}/retry")

    def pause_job(self, job: str) -> Job:
        return self._json(Job, "POST", f"{API}/jobs/{job}/pause")

    def resume_job(self, job: str) -> Job:
        return self._json(Job, "POST", f"{API}/jobs/{job}/resume")

    def set_priority(self, job: str, priority: str) -> Job:
        """Let a job go `first` (of its person's jobs) or `before_all`, or be `normal` again."""
        return self._json(Job, "PUT", f"{API}/jobs/{job}/priority", json={"priority": priority})

    def retry_jobs(self, jobs: list[str] | None) -> RetriedJobs:
        """Retry several jobs; None for all that failed."""
        return self._json(RetriedJobs, "POST", f"{API}/jobs/retry", json={"jobs": jobs})

    def pause_everything(self) -> None:
        self._call("PUT", f"{API}/pause")

    def resume_everything(self) -> None:
        self._call("DELETE", f"{API}/pause")

    def delete_job(self, job: str) -> None:
        self._call("DELETE", f"{API}/jobs/{job}")

    def list_jobs(self, **filters: Any) -> Iterator[Job]:
        """Iterate over the jobs, newest first. `filters` are those of the API (state, name, user, …)."""
        return self._pages(Job, f"{API}/jobs", _without_none(**filters))

    def check_training(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Check parameters before anything is uploaded. Returns all of them, with defaults filled in."""
        return self._json(dict[str, Any], "POST", f"{API}/training-jobs/parameters", json=parameters)

    def preview_training(self, uploads: list[str] | Literal["all"]) -> TrainingData:
        """Show what a training on these uploads, or on everything labelled, would learn from."""
        return self._json(TrainingData, "POST", f"{API}/training-jobs/preview", json={"data": uploads})

    def create_training(self, job: str, uploads: list[str] | Literal["all"], parameters: dict[str, Any]) -> Job:
        return self._json(Job, "POST", f"{API}/training-jobs", json={"id": job, "data": uploads, **parameters})

    def get_epochs(self, job: str) -> TrainingCurve:
        """Return the curve of a training, and what happens in it now."""
        return self._json(TrainingCurve, "GET", f"{API}/jobs/{job}/epochs")

    def get_model(self, version: int) -> ModelVersion:
        return self._json(ModelVersion, "GET", f"{API}/models/{version}")

    def list_models(self) -> Iterator[ModelVersion]:
        return self._pages(ModelVersion, f"{API}/models", {})

    def find_threshold(self, version: int, max_error: float) -> PromisedThreshold:
        """Return the lowest threshold at which at most this share of a version's labels is wrong.

        Raises:
            RequestFailed: No threshold keeps that.
        """
        params = {"max_error": str(max_error)}
        return self._json(PromisedThreshold, "GET", f"{API}/models/{version}/thresholds", params=params)

    def check_promotion(self, version: int) -> PromotionCheck:
        return self._json(PromotionCheck, "GET", f"{API}/models/{version}/promotion")

    def promote(self, version: int) -> Deployment:
        return self._json(Deployment, "POST", f"{API}/models/{version}/promote")

    def roll_back(self, in_use: int) -> Deployment:
        """Restore the version used before `in_use`. Naming it keeps a repeated request from going back twice."""
        return self._json(Deployment, "POST", f"{API}/models/rollback", json={"in_use": in_use})

    def list_schedules(self) -> Iterator[Schedule]:
        return self._pages(Schedule, f"{API}/schedules", {})

    def create_schedule(self, schedule: dict[str, Any]) -> Schedule:
        """Create a schedule. Retried after a lost answer it is refused, because names are unique."""
        return self._json(Schedule, "POST", f"{API}/schedules", json=schedule)

    def update_schedule(self, schedule: int, **changes: Any) -> Schedule:
        return self._json(Schedule, "PATCH", f"{API}/schedules/{schedule}", json=changes)

    def run_schedule(self, schedule: int) -> ScheduleRun:
        return self._json(ScheduleRun, "POST", f"{API}/schedules/{schedule}/run")

    def delete_schedule(self, schedule: int) -> None:
        self._call("DELETE", f"{API}/schedules/{schedule}")

    def list_runs(self, schedule: int) -> Iterator[ScheduleRun]:
        """Iterate over the runs of a schedule, newest first."""
        return self._pages(ScheduleRun, f"{API}/schedules/{schedule}/runs", {})

    def list_webhooks(self) -> Iterator[dict[str, Any]]:
        return self._pages(dict[str, Any], f"{API}/webhooks", {})

    def list_deliveries(self, webhook: int, state: str | None = None) -> Iterator[dict[str, Any]]:
        """Iterate over what was sent to a webhook and what waits, newest first."""
        return self._pages(dict[str, Any], f"{API}/webhooks/{webhook}/deliveries", _without_none(state=state))

    def send_test_event(self, webhook: int) -> dict[str, Any]:
        return self._json(dict[str, Any], "POST", f"{API}/webhooks/{webhook}/test")

    def replay_delivery(self, webhook: int, delivery: int) -> dict[str, Any]:
        return self._json(dict[str, Any], "POST", f"{API}/webhooks/{webhook}/deliveries/{delivery}/replay")

    def replay_deliveries(self, webhook: int) -> dict[str, Any]:
        """Send again everything that failed, and now what waits."""
        return self._json(dict[str, Any], "POST", f"{API}/webhooks/{webhook}/replay")

    def get_original(self, image: int) -> bytes:
        """Return a file as it was uploaded."""
        return self._call("GET", f"{API}/images/{image}/original", headers={"Accept": "*/*"}).content

    def list_results(self, job: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """Iterate over all results of a job. `filters` are those of the API (label, error_code, path, …)."""
        return self._pages(dict[str, Any], f"{API}/jobs/{job}/results", _without_none(**filters))

    @contextmanager
    def open_export(self, job: str, kind: str, options: Mapping[str, str] | None = None) -> Iterator[Export]:
        """Open an export of a job (csv, xlsx, jsonl, parquet, zip, html) as a stream of bytes.

        Args:
            options: `by` for a zip or a report, `tree` for a zip.
        Raises:
            ClientError: While it is read: the server ended it before its end.
        """
        name = "report.html" if kind == "html" else f"export.{kind}"
        headers = {"Accept": "*/*"}
        request = self._http.build_request("GET", f"{API}/jobs/{job}/{name}", headers=headers, params=options)
        response = self._retries.call(lambda: self._http.send(request, stream=True))
        try:
            yield Export(response.iter_bytes(READ_BYTES), PARTIAL in response.headers, _date_of(response))
        except httpx2.RemoteProtocolError as error:
            raise ClientError(
                f"The export of job {job} broke off before its end, so nothing of it was kept. The job may have been"
                " deleted, retried, or given another threshold. Export it again."
            ) from error
        except httpx2.TransportError as error:
            raise explain_failure(error, self.server) from error
        finally:
            response.close()

    def correct_by_list(self, job: str, batch: str, lines: bytes, *, is_dry: bool = False) -> Corrections:
        """Import corrections: where files are now, one line of JSON each. Repeating the same id changes nothing.

        Args:
            is_dry: Only ask what would change.
        """
        headers, params = {"Content-Type": "application/jsonl"}, _correction_query(batch, is_dry)
        return self._json(
            Corrections, "POST", f"{API}/jobs/{job}/corrections", params=params, content=lines, headers=headers
        )

    def correct_by_archive(self, job: str, batch: str, body: BinaryIO, *, is_dry: bool = False) -> Corrections:
        """Import corrections from a rearranged zip or tar, streamed."""
        params = _correction_query(batch, is_dry)

        def send() -> httpx2.Response:
            body.seek(0)
            return self._http.post(f"{API}/jobs/{job}/corrections", params=params, content=_blocks(body))

        answer: Corrections = self._retries.call(send).json()
        return answer

    def undo_batch(self, batch: str, undo: str) -> UndoneLabels:
        """Undo all labels of one batch."""
        while True:
            answer = self._json(UndoneLabels, "POST", f"{API}/label-batches/{batch}/undo", json={"id": undo})
            if answer["is_finished"]:
                return answer

    def add_labels(self, items: list[dict[str, Any]], batch: str, *, is_dry: bool = False) -> AddedLabels:
        """Label pictures as part of a batch, which several calls may add to. Repeating a call changes nothing.

        Args:
            items: A `label`, and `image_id` or `sha256`; at most 10,000.
            is_dry: Only ask what would change.
        """
        body = {"items": items, "batch": batch, "dry_run": is_dry}
        return self._json(AddedLabels, "POST", f"{API}/labels", json=body)

    def count_folder_labels(self, upload: str) -> FolderLabels:
        """Return how many labels that the folders of an upload gave count."""
        return self._json(FolderLabels, "GET", f"{API}/uploads/{upload}/labels")

    def withdraw_folder_labels(self, upload: str) -> FolderLabels:
        """Withdraw all labels that the folders of an upload gave."""
        return self._json(FolderLabels, "DELETE", f"{API}/uploads/{upload}/labels")

    def list_audit_log(self, **filters: Any) -> Iterator[AuditEntry]:
        """Iterate over the audit log, newest first. `filters` are those of the API (user, action, since, before)."""
        return self._pages(AuditEntry, f"{API}/audit-log", _without_none(**filters))

    @contextmanager
    def open_audit_log(self, kind: str, filters: Mapping[str, str]) -> Iterator[Iterator[bytes]]:
        """Open the audit log (csv, jsonl) as a stream of bytes."""
        request = self._http.build_request(
            "GET", f"{API}/audit-log.{kind}", headers={"Accept": "*/*"}, params=dict(filters)
        )
        response = self._retries.call(lambda: self._http.send(request, stream=True))
        try:
            yield response.iter_bytes(READ_BYTES)
        except httpx2.TransportError as error:
            raise explain_failure(error, self.server) from error
        finally:
            response.close()

    def greet(self) -> bool:
        """Ask whether a Pawsort server is there. Return False if something is, but has not answered yet.

        Raises:
            Unreachable: It is not. The message says why, and what to do.
        """
        return greet(self._http, self.server)

    def is_ready(self) -> bool:
        """Return whether the server answers. Asks once, without retries."""
        try:
            return self._http.get("/healthz", timeout=5.0).is_success
        except httpx2.TransportError:
            return False

    def _pages(self, kind: type[Answer], path: str, params: dict[str, Any]) -> Iterator[Answer]:
        """Follow a list to its end. `kind` is the type of its items."""
        cursor: str | None = None
        while True:
            page = self._json(dict[str, Any], "GET", path, params=params | _without_none(cursor=cursor))
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _json(self, kind: type[Answer], method: str, path: str, **options: Any) -> Answer:
        """Call, and read the answer as `kind`."""
        answer: Answer = self._call(method, path, **options).json()
        return answer

    def _call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self._retries.call(lambda: self._http.request(method, path, **options))


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _blocks(body: BinaryIO) -> Iterable[bytes]:
    while block := body.read(READ_BYTES):
        yield block


def _correction_query(batch: str, is_dry: bool) -> dict[str, str]:
    return {"id": batch} | ({"dry_run": "1"} if is_dry else {})


def _date_of(response: httpx2.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)
