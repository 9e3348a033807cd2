"""The description of the API as this code gives it, without a server."""

import tempfile
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.base.config import Settings
from web.app import create_app
from web.http.openapi.document import make_document as make


def make_document() -> dict[str, Any]:
    """OpenAPI, as at /openapi.json."""
    with tempfile.TemporaryDirectory() as folder:
        secret = SecretStr("for a description that is written, long enough")
        app = create_app(Settings(_env_file=None, data_dir=Path(folder), secret_key=secret))  # type: ignore[call-arg]
        with app.test_request_context():
            return make()
