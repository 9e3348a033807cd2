"""The words that columns of states and kinds hold. Import them from `core.orm`, with the tables."""

from enum import StrEnum


class UploadState(StrEnum):
    RECEIVING = "receiving"
    COMPLETE = "complete"


class JobKind(StrEnum):
    CLASSIFY = "classify"
    TRAIN = "train"
    JUDGE = "judge"


class JobState(StrEnum):
    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


ACTIVE_STATES = (JobState.RECEIVING, JobState.QUEUED, JobState.RUNNING)


class ChunkState(StrEnum):
    READY = "ready"
    RUNNING = "running"
    DONE = "done"


class LabelSource(StrEnum):
    FOLDER = "folder"
    CORRECTION = "correction"
    CONFIRMATION = "confirmation"
    AUDIT = "audit"
