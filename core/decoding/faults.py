"""From an exception of a decoder to the error code of one image."""

from PIL import UnidentifiedImageError

from core.base.errors import ErrorCode, ImageError
from core.decoding.opening import Buffer
from core.decoding.variants import name_of_variant
from core.formats.signatures import fault_of_unreadable


def explain(error: Exception, data: Buffer) -> tuple[ErrorCode, str | None, str]:
    """The error code for an exception of a decoder, its detail for the sentence, and its text for the log."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, ImageError):
        return error.code, error.detail, reason
    return *_fault_of(error, bytes(data)), reason


def _fault_of(error: Exception, data: bytes) -> tuple[ErrorCode, str | None]:
    """Code and detail of what a decoder said."""
    if not data:
        return ErrorCode.EMPTY_FILE, None
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and "out of memory" in str(error)):
        return ErrorCode.OUT_OF_MEMORY, None
    if "Security limit exceeded" in str(error):  # libheif: a frame is larger than the boxes say
        return ErrorCode.TOO_MANY_PIXELS, None
    if "unsupported" in str(error).lower():
        return ErrorCode.UNSUPPORTED_FORMAT, name_of_variant(data)
    if isinstance(error, UnidentifiedImageError):
        return fault_of_unreadable(data)
    return ErrorCode.TRUNCATED, None


def image_error(code: ErrorCode, detail: str | None, reason: str) -> ImageError:
    """Made after the handler has ended: a chained exception would keep the frames, and so the pixels, alive."""
    error = ImageError(code, detail)
    error.add_note(reason)
    return error
