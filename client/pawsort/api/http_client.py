"""The HTTP interface as Python calls. Knows nothing of the server's code: only its addresses and what it answers."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import httpx

from pawsort.api.errors import BadArchive, RequestFailed
from pawsort.api.retries import Retries, explain_failure

API = "/api/v1"
READ_BYTES = 2**20
# Reading waits long: the server may still be writing a large shard to a slow disk when it has read all of it.
TIMEOUT = httpx.Timeout(60.0, connect=10.0, read=300.0)


class PawsortClient:
    """One server, one token. Safe to use from several threads at once.

    Every call that changes something carries an id that the caller chose, so that repeating it is harmless; that is
    why calls are repeated on their own when the connection breaks or the server asks for patience.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        retries: Retries | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self.server = server.rstrip("/")
        self._retries = retries or Retries()
        headers = {"User-Agent": "pawsort", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        # Proxies of the environment must not get at an address of this machine, nor at the token.
        self._http = httpx.Client(
            base_url=self.server, headers=headers, timeout=timeout, trust_env=not _is_local(server)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections; threads that wait to try again give up."""
        self._retries.stopped.set()
        self._http.close()

    def create_upload(
        self, upload: str, name: str | None = None, labelled: bool = False, discard_originals: bool = False
    ) -> dict[str, Any]:
        body = _without_none(name=name, labelled=labelled or None, discard_originals=discard_originals or None)
        return self._json("PUT", f"{API}/uploads/{upload}", json=body)

    def get_upload(self, upload: str) -> dict[str, Any]:
        return self._json("GET", f"{API}/uploads/{upload}")

    def delete_upload(self, upload: str) -> None:
        """Delete an upload that no job works on."""
        self._call("DELETE", f"{API}/uploads/{upload}")

    def put_shard(self, upload: str, seq: int, tar: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-tar"}
        return self._json("PUT", f"{API}/uploads/{upload}/shards/{seq}", content=tar, headers=headers)

    def complete_upload(self, upload: str, n_shards: int) -> dict[str, Any]:
        return self._json("POST", f"{API}/uploads/{upload}/complete", json={"n_shards": n_shards})

    def finish_partial_upload(self, upload: str) -> dict[str, Any]:
        """No more will come, although something is missing."""
        return self._json("POST", f"{API}/uploads/{upload}/complete", json={"partial": True})

    def create_job(
        self,
        job: str,
        upload: str,
        *,
        model: str | None = None,
        threshold: float | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        body = _without_none(upload=upload, model=model, threshold=threshold, name=name)
        return self._json("PUT", f"{API}/jobs/{job}", json=body)

    def send_archive(
        self,
        archive: str,
        body: BinaryIO,
        *,
        name: str | None = None,
        model: str | None = None,
        threshold: float | None = None,
        discard_originals: bool = False,
    ) -> dict[str, Any]:
        """Stream a tar, tar.gz or zip as it is; answers with the job that classifies it.

        Args:
            archive: The id under which it is sent; sending it again under the same id is harmless.
            body: The file, read from its start at each try.
        Raises:
            BadArchive: It breaks off or cannot be read; names the job that holds the whole files before that.
        """
        wishes = {"model": model, "threshold": threshold, "discard_originals": discard_originals or None}
        params = _without_none(id=archive, name=name, **wishes)

        def send() -> httpx.Response:
            body.seek(0)
            return self._http.put(f"{API}/archives", params=params, content=_blocks(body))

        try:
            answer: dict[str, Any] = self._retries.call(send).json()
        except RequestFailed as failure:
            if failure.status == httpx.codes.UNPROCESSABLE_ENTITY:
                raise BadArchive(failure.message, failure.problem.get("job")) from failure
            raise
        return answer

    def get_job(self, job: str) -> dict[str, Any]:
        return self._json("GET", f"{API}/jobs/{job}")

    def poll_job(self, job: str, etag: str | None) -> tuple[dict[str, Any] | None, str | None]:
        """The job and its ETag; None for the job when nothing has moved since `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        response = self._call("GET", f"{API}/jobs/{job}", headers=headers)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None, etag
        return response.json(), response.headers.get("ETag")

    def update_job(self, job: str, **changes: Any) -> dict[str, Any]:
        return self._json("PATCH", f"{API}/jobs/{job}", json=changes)

    def cancel_job(self, job: str, keep_best: bool = False) -> dict[str, Any]:
        """Stop a job; `keep_best` lets a training end with its best epoch so far as a version."""
        return self._json("POST", f"{API}/jobs/{job}/cancel", json={"keep_best": keep_best})

    def retry_job(self, job: str) -> dict[str, Any]:
        return self._json("POST", f"{API}/jobs/{job}/retry")

    def delete_job(self, job: str) -> None:
        self._call("DELETE", f"{API}/jobs/{job}")

    def list_jobs(self) -> Iterator[dict[str, Any]]:
        return self._pages(f"{API}/jobs", {})

    def check_training(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Have parameters checked before anything is sent; answers with all of them filled in."""
        return self._json("POST", f"{API}/training-jobs/parameters", json=parameters)

    def preview_training(self, uploads: list[str] | Literal["all"]) -> dict[str, Any]:
        """What a training on these uploads, or on everything labelled, would learn from."""
        return self._json("POST", f"{API}/training-jobs/preview", json={"data": uploads})

    def create_training(
        self, job: str, uploads: list[str] | Literal["all"], parameters: dict[str, Any]
    ) -> dict[str, Any]:
        return self._json("POST", f"{API}/training-jobs", json={"id": job, "data": uploads, **parameters})

    def get_epochs(self, job: str) -> dict[str, Any]:
        """The curve of a training, and what is happening in it now."""
        return self._json("GET", f"{API}/jobs/{job}/epochs")

    def get_model(self, version: int) -> dict[str, Any]:
        return self._json("GET", f"{API}/models/{version}")

    def list_models(self) -> Iterator[dict[str, Any]]:
        return self._pages(f"{API}/models", {})

    def promote(self, version: int) -> dict[str, Any]:
        return self._json("POST", f"{API}/models/{version}/promote")

    def roll_back(self, in_use: int) -> dict[str, Any]:
        """Put back what was in use before `in_use`; naming it keeps a repeated request from going back twice."""
        return self._json("POST", f"{API}/models/rollback", json={"in_use": in_use})

    def list_schedules(self) -> Iterator[dict[str, Any]]:
        return self._pages(f"{API}/schedules", {})

    def get_schedule(self, schedule: int) -> dict[str, Any]:
        return self._json("GET", f"{API}/schedules/{schedule}")

    def create_schedule(self, schedule: dict[str, Any]) -> dict[str, Any]:
        """Repeated after an answer that got lost, it is refused: no two schedules share a name."""
        return self._json("POST", f"{API}/schedules", json=schedule)

    def update_schedule(self, schedule: int, **changes: Any) -> dict[str, Any]:
        return self._json("PATCH", f"{API}/schedules/{schedule}", json=changes)

    def run_schedule(self, schedule: int) -> dict[str, Any]:
        return self._json("POST", f"{API}/schedules/{schedule}/run")

    def delete_schedule(self, schedule: int) -> None:
        self._call("DELETE", f"{API}/schedules/{schedule}")

    def list_runs(self, schedule: int) -> Iterator[dict[str, Any]]:
        """What came of a schedule each time, newest first."""
        return self._pages(f"{API}/schedules/{schedule}/runs", {})

    def list_results(self, job: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """All results of a job, page by page; `filters` as the API names them (label, error_code, path, …)."""
        return self._pages(f"{API}/jobs/{job}/results", _without_none(**filters))

    @contextmanager
    def open_export(self, job: str, kind: str, wanted: Mapping[str, str] | None = None) -> Iterator[Iterator[bytes]]:
        """The export of a job (csv, jsonl, parquet, zip, html) as a stream of bytes.

        Args:
            wanted: Of a zip: `by` and `tree`.
        """
        name = "report.html" if kind == "html" else f"export.{kind}"
        headers = {"Accept": "*/*"}
        request = self._http.build_request("GET", f"{API}/jobs/{job}/{name}", headers=headers, params=wanted)
        response = self._retries.call(lambda: self._http.send(request, stream=True))
        try:
            yield response.iter_bytes(READ_BYTES)
        except httpx.TransportError as error:
            raise explain_failure(error, self.server) from error
        finally:
            response.close()

    def correct_by_list(self, job: str, batch: str, lines: bytes) -> dict[str, Any]:
        """Send where files lie now, a line of JSON each, as corrections; repeated with the same id, nothing doubles."""
        headers = {"Content-Type": "application/jsonl"}
        return self._json("POST", f"{API}/jobs/{job}/corrections", params={"id": batch}, content=lines, headers=headers)

    def correct_by_archive(self, job: str, batch: str, body: BinaryIO) -> dict[str, Any]:
        """Stream a sorted zip or tar that was rearranged, as corrections."""

        def send() -> httpx.Response:
            body.seek(0)
            return self._http.post(f"{API}/jobs/{job}/corrections", params={"id": batch}, content=_blocks(body))

        answer: dict[str, Any] = self._retries.call(send).json()
        return answer

    def undo_batch(self, batch: str, undo: str) -> dict[str, Any]:
        """Take back labels that were written in one go, to the end."""
        while True:
            answer = self._json("POST", f"{API}/label-batches/{batch}/undo", json={"id": undo})
            if answer["is_finished"]:
                return answer

    def is_ready(self) -> bool:
        """Whether the page answers at all; asked once, without patience."""
        try:
            return self._http.get("/healthz", timeout=5.0).is_success
        except httpx.TransportError:
            return False

    def _pages(self, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._json("GET", path, params=params | _without_none(cursor=cursor))
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(method, path, **options).json()
        return answer

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._retries.call(lambda: self._http.request(method, path, **options))


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _blocks(body: BinaryIO) -> Iterable[bytes]:
    while block := body.read(READ_BYTES):
        yield block


def _is_local(server: str) -> bool:
    return httpx.URL(server).host in ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
