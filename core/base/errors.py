"""Errors that a caller can act on, and the codes that one image can end with.

Data flow and the error of each arrow:

    body ─► shard index        ShardError (422), TooLarge (413), DiskFull (507)
    shard ─► rows              Conflict (409), Gone (410), NotFound (404)
    bytes ─► pixels            ImageError with a code: costs this one image a result, nothing else
    pixels ─► results          LeaseLost: another worker has the chunk; drop everything, no result was written

HTTP status codes belong to the web; here an error has a sentence, and where a program needs them, details.
"""

from enum import StrEnum
from typing import Any


class PawsortError(Exception):
    """An expected failure with a sentence for a person: what was expected, what came, what to do."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @property
    def message_for_people(self) -> str:
        """The sentence for pages, which do not name settings."""
        return self.message


class ConfigError(PawsortError):
    """A setting has a wrong value; the sentence names it."""

    @property
    def message_for_people(self) -> str:
        """Whom to ask: only the operator can correct a setting."""
        return (
            "A setting of this server has to be corrected. Tell the person who runs it; the log of the worker says"
            " which one."
        )


class Unavailable(PawsortError):
    """A server does not answer at the moment; the same may go through later."""


class NotConverted(Unavailable):
    """A version waits for its conversion, since TensorFlow is not installed here."""


class BrokerFull(Unavailable):
    """The broker answers, but has no room for messages."""


class Busy(Unavailable):
    """This server has too much to do at the moment."""


class Refused(ConfigError, Unavailable):
    """A server answers but will not do what we need: a setting is wrong, and waiting does not help."""


class Forbidden(PawsortError):
    """This person may not do this; the sentence says who may."""


class Unauthenticated(PawsortError):
    """Nobody is logged in, or not any more."""


class NotFound(PawsortError):
    """Nothing has this id."""


class Gone(PawsortError):
    """It was there and has been deleted; its id is never used again."""


class Conflict(PawsortError):
    """The request is right by itself, but not in the present state."""


class IdTaken(Conflict):
    """Something else has this id."""


class NameTaken(Conflict):
    """Something else has this name."""


class EditConflict(Conflict):
    """Somebody changed it since the caller saw it."""


class InUse(Conflict):
    """It cannot be deleted, since something else needs it."""


class JobHasEnded(Conflict):
    """This is for jobs that have not ended yet."""


class JobNotEnded(Conflict):
    """This is for jobs that have ended."""


class OriginalsMissing(Conflict):
    """Work needs the originals, which were discarded as requested."""


class OriginalsGone(Gone):
    """The originals themselves are asked for, and were discarded as requested."""


class Invalid(PawsortError):
    """What came cannot be used; nothing of it was kept."""


class IncompleteBody(Invalid):
    """What is sent ended before it was complete."""


class OutdatedCursor(Invalid):
    """A cursor is not one of this list."""


class TooLarge(PawsortError):
    """A limit on bytes was passed; the sentence names the limit."""


class TooMany(PawsortError):
    """Somebody asks more often than they may, or for more at once.

    Attributes:
        retry_after_s: When it makes sense to ask again.
    """

    def __init__(self, message: str, retry_after_s: float = 2.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DiskFull(PawsortError):
    """The store has too little room left to take more."""


class LeaseLost(PawsortError):
    """The chunk belongs to another worker by now; what was computed must be dropped."""


class BlobMissing(PawsortError):
    """The store has no blob under this key."""


class BadWeights(PawsortError):
    """Weights do not match the digest or the shape their manifest promises."""


class ErrorCode(StrEnum):
    """Why an image has no label. Part of the public contract."""

    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_BYTES = "too_many_bytes"
    DECODE_TIMEOUT = "decode_timeout"
    OUT_OF_MEMORY = "out_of_memory"
    DECODER_CRASHED = "decoder_crashed"

    @property
    def sentence(self) -> str:
        """What is wrong with the file, and what its owner can do."""
        return _SENTENCES[self]

    def explain(self, detail: str | None) -> str:
        """The sentence, with what is known about this file in front of it: of a file that is no picture, its kind."""
        if not detail:
            return self.sentence
        if self is ErrorCode.NOT_AN_IMAGE:
            return f"{detail}. {_ADVICE.get(detail.rpartition(' ')[2], _NO_PICTURE)}"
        return f"{detail}. {self.sentence}"


_NO_PICTURE = "Only pictures can be sorted."
_ADVICE = {  # by the last word of what the file is
    "archive": "It is not opened inside a folder or another archive. Unpack it, or upload it by itself.",
    "video": "Videos can't be sorted. Save frames of it as JPEG or PNG and upload those.",
    "document": "Documents can't be sorted. Save its pages as JPEG or PNG and upload those.",
}
_SENTENCES = {
    ErrorCode.EMPTY_FILE: "The file is empty (0 bytes). Copy it again from its source.",
    ErrorCode.NOT_AN_IMAGE: "This file doesn't look like a picture. Open it in a viewer; if it opens there,"
    " save it as JPEG or PNG and upload that.",
    ErrorCode.UNSUPPORTED_FORMAT: "This picture is in a format that Pawsort can't read. Save it as JPEG"
    " or PNG and upload that.",
    ErrorCode.TRUNCATED: "The picture is damaged or ends too early. Copy it again from the camera or the backup.",
    ErrorCode.TOO_MANY_PIXELS: "The picture has more pixels than the limit. Save a smaller version and upload that.",
    ErrorCode.TOO_MANY_BYTES: "The file is larger than the limit and was not uploaded. Save a smaller version and"
    " upload that.",
    ErrorCode.DECODE_TIMEOUT: "Reading the picture took too long and was stopped. Save it again as JPEG or PNG and"
    " upload that.",
    ErrorCode.OUT_OF_MEMORY: "Reading the picture needs more memory than is allowed. Save a smaller version and"
    " upload that.",
    ErrorCode.DECODER_CRASHED: "Reading the picture crashed the decoder twice. Save it again as JPEG or PNG and"
    " upload that.",
}


class ImageWarning(StrEnum):
    """What a person should know about an image that has a label all the same. Part of the public contract."""

    PARTLY_READABLE = "partly_readable"

    @property
    def sentence(self) -> str:
        """What is wrong with the file, and what its owner can do."""
        return _WARNINGS[self]


_WARNINGS = {
    ImageWarning.PARTLY_READABLE: "The end of the picture is missing; the label is about the rest. Copy it again from"
    " the camera or the backup.",
}


class ImageError(Exception):
    """One image cannot be decoded. Costs one error result, never a batch."""

    def __init__(self, code: ErrorCode, detail: str | None = None) -> None:
        """
        Args:
            detail: What the file is, for the reader of the sentence: the name of an unsupported format.
        """
        super().__init__(code.explain(detail))
        self.code = code
        self.detail = detail
