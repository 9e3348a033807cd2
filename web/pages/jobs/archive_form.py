"""The forms that send an archive without JavaScript: checked before any of the archive is read."""

from flask import Response

from core.base.errors import Invalid
from web.http.auth import refuse_csrf
from web.http.context import get_services
from web.http.multipart import MAX_FORM_BYTES, FileForm
from web.pages.common.words import in_bytes
from web.receiving.bodies import BodyReader


def open_archive_form(if_too_large: str, if_none: str) -> tuple[FileForm, BodyReader] | Response:
    """The present request's form, read up to its archive, and its body; or why it is refused.

    Args:
        if_too_large: What to do about an archive that is larger than an upload may be; "" when that is plain.
        if_none: What to do when no file was chosen.
    Raises:
        Invalid: It is no such form, or has no file.
        TooLarge: The body says that it is larger than an upload may be.
    """
    limit = get_services().settings.max_upload_bytes
    sentence = f"An archive may have {in_bytes(limit)} (PAWSORT_MAX_UPLOAD_BYTES). {if_too_large}"
    body = BodyReader(limit + MAX_FORM_BYTES, sentence.rstrip())
    form = FileForm(body.read)
    refusal = refuse_csrf(form.fields.get("csrf_token", ""))
    if refusal is not None:
        return refusal
    if not form.file_name:
        raise Invalid(f"No file was chosen. {if_none}")
    return form, body
