"""The values that columns of states and kinds hold. Some stored values are older than today's names."""

from enum import StrEnum


class UploadState(StrEnum):
    RECEIVING = "receiving"
    COMPLETE = "complete"


class JobKind(StrEnum):
    CLASSIFY = "classify"
    TRAIN = "train"
    EVALUATE = "judge"
    LABEL_QUALITY = "study"


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


class BatchKind(StrEnum):
    LABEL = "label"
    CONFIRM = "confirm"
    FOLDERS = "folders"
    LIST = "list"
    UNDO = "undo"


class ScheduleKind(StrEnum):
    RETRAIN = "retrain"
    CLASSIFY = "classify"
    CLEAN_UP = "clean_up"
    BACK_UP = "back_up"


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    EVALUATING = "judging"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


OPEN_RUN_STATES = (RunState.WAITING, RunState.RUNNING, RunState.EVALUATING)


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
