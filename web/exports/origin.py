"""Where results come from: what is needed to compute them again, kept in the files that have room for it.

Parquet has it as key-value metadata, a workbook as properties of the document, under the same names. CSV and JSON Lines
have no room for it, since readers expect rows alone: a header of the answer has it.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.jobs.export_snapshot import ExportSnapshot
from core.models import registry
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.results import Result

PREFIX = "pawsort."


@dataclass(frozen=True, slots=True)
class Origin:
    """What made the results of a job.

    Attributes:
        version: The number of the model version here, and `digest` the SHA-256 of its weights.
        networks: The network of the version; then that of the accurate version that a light one leaves pictures to.
        teacher_digest: The SHA-256 of that version's weights; None for a version that answers alone.
        threshold: Below this confidence, 0 to 1, a picture is unsure.
        decodings: The numbers of the rules by which its files became pixels: several if they changed in between.
        is_partial: Files without a result so far are missing.
    """

    job: UUID
    version: int | None
    digest: str | None
    networks: tuple[str, ...]
    teacher_digest: str | None
    threshold: float
    decodings: tuple[int, ...]
    is_partial: bool
    exported_at: datetime

    @property
    def network(self) -> str:
        """The network of the version; empty if the version is unknown."""
        return self.networks[0] if self.networks else ""

    def as_values(self) -> dict[str, object]:
        """Names and values as JSON has them, without what is unknown."""
        values: dict[str, object] = {
            "job": str(self.job),
            "version": self.version,
            "version_digest": self.digest,
            "networks": self.networks,
            "teacher_digest": self.teacher_digest,
            "threshold": self.threshold,
            "decoding": self.decodings,
            "partial": self.is_partial,
            "exported_at": self.exported_at.isoformat(),
        }
        return {name: value for name, value in values.items() if value is not None}

    def as_texts(self) -> dict[str, str]:
        """Names and texts, for files. Lists are JSON."""
        values = self.as_values() | {"threshold": f"{self.threshold:.3f}"}
        return {PREFIX + name: one if isinstance(one, str) else json.dumps(one) for name, one in values.items()}

    def as_header(self) -> str:
        """One line of JSON in ASCII, for a header."""
        return json.dumps(self.as_values())


def describe_origin(session: Session, snapshot: ExportSnapshot) -> Origin:
    """Where the results of a job come from."""
    job = snapshot.job
    version = registry.get_any(session, job.model_version_id)
    cascade = version.manifest.get("cascade") if version else None
    teacher = select(ModelVersion.network).where(ModelVersion.digest == cascade["teacher"]) if cascade else None
    networks = (version.network if version else None, None if teacher is None else session.scalar(teacher))
    return Origin(
        job=job.uuid,
        version=version.id if version else None,
        digest=version.digest if version else None,
        networks=tuple(name for name in networks if name),
        teacher_digest=cascade["teacher"] if cascade else None,
        threshold=job.threshold_milli / 1000,
        decodings=_find_decodings(session, job),
        is_partial=snapshot.is_partial,
        exported_at=session.scalars(select(db_now())).one(),
    )


def _find_decodings(session: Session, job: Job) -> tuple[int, ...]:
    """As the job has noted them; if it has noted none or several, as all of its results say."""
    if job.lowest_decoding and job.lowest_decoding == job.highest_decoding:
        return (job.lowest_decoding,)
    return tuple(sorted(session.scalars(select(Result.decoding).where(Result.job_id == job.id).distinct())))
