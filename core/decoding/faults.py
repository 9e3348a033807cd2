"""From an exception of a decoder to the error code of one image."""

from PIL import UnidentifiedImageError

from core.base.errors import ErrorCode, ImageError
from core.decoding.opening import Buffer
from core.formats.signatures import code_of_unreadable


def explain(error: Exception, data: Buffer) -> tuple[ErrorCode, str | None, str]:
    """The error code for an exception of a decoder, its detail for the sentence, and its text for the log."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, ImageError):
        return error.code, error.detail, reason
    return _code_of(error, data), None, reason


def _code_of(error: Exception, data: Buffer) -> ErrorCode:
    if not len(data):
        return ErrorCode.EMPTY_FILE
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and "out of memory" in str(error)):
        return ErrorCode.OUT_OF_MEMORY
    if "Security limit exceeded" in str(error):  # libheif: a frame is larger than the boxes say
        return ErrorCode.TOO_MANY_PIXELS
    if isinstance(error, UnidentifiedImageError):
        return code_of_unreadable(data)
    if isinstance(error, OSError) and str(error).startswith("Unsupported"):  # a BMP of a kind nobody writes
        return ErrorCode.UNSUPPORTED_FORMAT
    return ErrorCode.TRUNCATED


def image_error(code: ErrorCode, detail: str | None, reason: str) -> ImageError:
    """Made after the handler has ended: a chained exception would keep the frames, and so the pixels, alive."""
    error = ImageError(code, detail)
    error.add_note(reason)
    return error
