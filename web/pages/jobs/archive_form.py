"""Forms that upload an archive without JavaScript. They are checked before the archive is read."""

from flask import Response

from core.base.errors import Invalid
from web.http.access.csrf import refuse_csrf
from web.http.context import get_services
from web.http.multipart import MAX_FORM_BYTES, FileForm
from web.pages.common.words import as_limit
from web.receiving.bodies import BodyReader


def open_archive_form(if_too_large: str, if_none: str) -> tuple[FileForm, BodyReader] | Response:
    """The form of this request, read up to its archive, and the body; or the response that refuses it.

    Args:
        if_too_large: What to do with an archive above the limit; may be "".
        if_none: What to do if no file was chosen.
    Raises:
        Invalid: The body is not such a form, or has no file.
        TooLarge: The Content-Length is above the limit of an upload.
    """
    limit = get_services().settings.max_upload_bytes
    sentence = f"An archive can be up to {as_limit(limit)}. {if_too_large}"
    body = BodyReader(limit + MAX_FORM_BYTES, sentence.rstrip())
    form = FileForm(body.read)
    refusal = refuse_csrf(form.fields.get("csrf_token", ""))
    if refusal is not None:
        return refusal
    if not form.file_name:
        raise Invalid(f"No file was chosen. {if_none}")
    return form, body
