"""Compression of scripts, styles and JSON for clients that accept it.

Pages stay as they are: each holds a CSRF token, and the size of a compressed page that also repeats part of its address
can reveal such a secret (BREACH, https://www.breachattack.com). Exports stay as they are, too: they are streams, and
most of them are compressed files or contain pictures.
"""

from flask import Flask
from flask_compress import Compress

MIME_TYPES = ["text/css", "text/javascript", "application/json", "application/openapi+json", "image/svg+xml"]
# Smaller bodies fit into one packet anyway.
MIN_BYTES = 1_400


def register_compression(app: Flask) -> None:
    """Compress responses of these types with Zstandard, Brotli or gzip, whichever the client prefers."""
    app.config.update(
        COMPRESS_MIMETYPES=MIME_TYPES,
        COMPRESS_MIN_SIZE=MIN_BYTES,
        COMPRESS_STREAMS=False,
        COMPRESS_ALGORITHM=["zstd", "br", "gzip"],
    )
    Compress(app)
