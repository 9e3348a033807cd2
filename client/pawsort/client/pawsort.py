"""The clients: `Pawsort`, and `AsyncPawsort` with the same names, awaited."""

import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from pawsort.api.async_transport import AsyncTransport
from pawsort.api.connection import Connection
from pawsort.api.errors import ClientError
from pawsort.api.operation import AsyncGroup, Group, Subject
from pawsort.api.retries import Retries
from pawsort.api.transport import Transport
from pawsort.client.classification import AsyncClassification, Classification
from pawsort.client.local_instance import find_running_instance
from pawsort.client.training import AsyncTraining, Training
from pawsort.operations.account import Account, AsyncAccount, AsyncSessions, AsyncTokens, Sessions, Tokens
from pawsort.operations.audit_log import AsyncAuditLog, AuditLog
from pawsort.operations.jobs import AsyncJobs, Jobs
from pawsort.operations.label_quality import AsyncLabelQualityChecks, LabelQualityChecks
from pawsort.operations.labels import AsyncLabels, Labels
from pawsort.operations.models import AsyncModels, Models
from pawsort.operations.people import AsyncInvitations, AsyncPeople, Invitations, People
from pawsort.operations.pictures import AsyncPictures, Pictures
from pawsort.operations.queue import AsyncQueue, Queue
from pawsort.operations.references import JobReference, job_id
from pawsort.operations.reviews import AsyncAudits, AsyncReviews, Audits, Reviews
from pawsort.operations.schedules import AsyncSchedules, Schedules
from pawsort.operations.trainings import AsyncTrainings, Trainings
from pawsort.operations.uploads import AsyncUploads, Uploads
from pawsort.operations.webhooks import AsyncWebhooks, Webhooks
from pawsort.schemas import Job, TrainingParametersInput
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.workflows.options import JobOptions, name_of
from pawsort.workflows.start import Start, resume_classification, start_classification
from pawsort.workflows.train import start_training


class Subjects:
    """Everything that a server offers, by subject."""

    account = Subject(Account, AsyncAccount)
    audit_log = Subject(AuditLog, AsyncAuditLog)
    audits = Subject(Audits, AsyncAudits)
    invitations = Subject(Invitations, AsyncInvitations)
    jobs = Subject(Jobs, AsyncJobs)
    label_quality = Subject(LabelQualityChecks, AsyncLabelQualityChecks)
    labels = Subject(Labels, AsyncLabels)
    models = Subject(Models, AsyncModels)
    people = Subject(People, AsyncPeople)
    pictures = Subject(Pictures, AsyncPictures)
    queue = Subject(Queue, AsyncQueue)
    reviews = Subject(Reviews, AsyncReviews)
    schedules = Subject(Schedules, AsyncSchedules)
    sessions = Subject(Sessions, AsyncSessions)
    tokens = Subject(Tokens, AsyncTokens)
    trainings = Subject(Trainings, AsyncTrainings)
    uploads = Subject(Uploads, AsyncUploads)
    webhooks = Subject(Webhooks, AsyncWebhooks)


class Pawsort(Subjects, Group):
    """A server, for programs and notebooks. Safe to use from several threads at once.

    Args:
        server: Its address. Without one, PAWSORT_SERVER, else the instance that runs on this machine.
        token: A bearer token. Without one, PAWSORT_TOKEN.
        retries: How long to retry when the connection breaks or the server is busy.
    """

    def __init__(self, server: str | None = None, token: str | None = None, *, retries: Retries | None = None) -> None:
        super().__init__(Transport(find_connection(server, token), retries))
        self._background_uploads: list[BackgroundUpload] = []

    def classify(
        self,
        *paths: Path | str,
        model: str | int | None = None,
        threshold: float | None = None,
        name: str | None = None,
        discard_originals: bool = False,
        everything: bool = False,
        resume: JobReference | None = None,
    ) -> Classification:
        """Upload folders and files, or one archive, and classify them. Returns at once; the upload goes on.

        Args:
            model: A version's number, or a network's name for its newest version.
            threshold: Below this confidence an image is shown as unsure.
            name: Name of the job; by default that of the folder.
            discard_originals: Remove the pictures from the server once they are classified.
            everything: Send what systems and tools leave behind as well.
            resume: A job whose upload was interrupted: what the server has of it is not sent again.
        Raises:
            ClientError: There is nothing to upload, or it is refused.
        """
        options = JobOptions(_text(model), threshold, name, discard_originals, None, everything)
        start = _start(self._transport, paths, options, resume)
        self._background_uploads.append(start.background)
        return Classification(self._transport, start)

    def train(
        self, *folders: Path | str, name: str | None = None, **parameters: Unpack[TrainingParametersInput]
    ) -> Training:
        """Upload labelled folders (cats/, dogs/), and train a new version on them. Returns when it has begun."""
        return Training(self._transport, _train(self._transport, folders, parameters, name))

    @property
    def server(self) -> str:
        """Its address."""
        return self._transport.connection.server

    @property
    def transport(self) -> Transport:
        """Performs calls and workflows."""
        return self._transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            for background in self._background_uploads:
                background.join()
        self.close()

    def close(self) -> None:
        """Close the connections. Uploads under way stop; `with` waits for them."""
        self._transport.close()


class AsyncPawsort(Subjects, AsyncGroup):
    """A server, for programs with asyncio or Trio: the names of `Pawsort`, awaited.

    Args:
        server: Its address. Without one, PAWSORT_SERVER, else the instance that runs on this machine.
        token: A bearer token. Without one, PAWSORT_TOKEN.
        retries: How long to retry when the connection breaks or the server is busy.
    """

    def __init__(self, server: str | None = None, token: str | None = None, *, retries: Retries | None = None) -> None:
        super().__init__(AsyncTransport(find_connection(server, token), retries))
        self._background_uploads: list[BackgroundUpload] = []

    @cached_property
    def _files(self) -> Transport:
        """Reads and sends files, in threads: a disk knows no event loop."""
        return Transport(self._transport.connection, self._transport.retries)

    async def classify(
        self,
        *paths: Path | str,
        model: str | int | None = None,
        threshold: float | None = None,
        name: str | None = None,
        discard_originals: bool = False,
        everything: bool = False,
        resume: JobReference | None = None,
    ) -> AsyncClassification:
        """Upload folders and files, or one archive, and classify them, as `Pawsort.classify`."""
        from anyio.to_thread import run_sync

        options = JobOptions(_text(model), threshold, name, discard_originals, None, everything)
        start = await run_sync(lambda: _start(self._files, paths, options, resume))
        self._background_uploads.append(start.background)
        return AsyncClassification(self._transport, start)

    async def train(
        self, *folders: Path | str, name: str | None = None, **parameters: Unpack[TrainingParametersInput]
    ) -> AsyncTraining:
        """Upload labelled folders (cats/, dogs/), and train a new version on them. Returns when it has begun."""
        from anyio.to_thread import run_sync

        job = await run_sync(lambda: _train(self._files, folders, parameters, name))
        return AsyncTraining(self._transport, job)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._background_uploads:
            from anyio.to_thread import run_sync

            for background in self._background_uploads:
                await run_sync(background.join)
        await self.close()

    async def close(self) -> None:
        """Close the connections. Uploads under way stop; `async with` waits for them."""
        self._files.close()
        await self._transport.close()


def find_connection(server: str | None, token: str | None) -> Connection:
    """Return the server that is named, else that of the environment, else the instance that runs on this machine.

    Raises:
        ClientError: There is none.
    """
    server = server or os.environ.get("PAWSORT_SERVER")
    token = token or os.environ.get("PAWSORT_TOKEN")
    if server:
        if not server.startswith(("http://", "https://")):
            raise ClientError(f"Expected an address such as http://127.0.0.1:8000, got {server!r}.")
        return Connection(server.rstrip("/"), token)
    instance = find_running_instance()
    if instance is None:
        raise ClientError(
            "No server was named, and none runs on this machine. Give its address and a token, or set PAWSORT_SERVER"
            " and PAWSORT_TOKEN."
        )
    return Connection(instance.address, token or instance.token)


def _start(
    transport: Transport, paths: tuple[Path | str, ...], options: JobOptions, resume: JobReference | None
) -> Start:
    if resume is not None:
        return resume_classification(transport, job_id(resume), _paths(paths), everything=options.everything)
    return start_classification(transport, _paths(paths), options)


def _train(
    transport: Transport, folders: tuple[Path | str, ...], parameters: TrainingParametersInput, name: str | None
) -> Job:
    paths = _paths(folders)
    return start_training(transport, paths, parameters, name or name_of(paths))


def _paths(given: tuple[Path | str, ...]) -> list[Path]:
    if not given:
        raise ClientError("Give a folder, files, or an archive.")
    return [Path(path) for path in given]


def _text(model: str | int | None) -> str | None:
    return None if model is None else str(model)
