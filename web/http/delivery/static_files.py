"""Scripts, styles and icons, with a digest in their address, so that browsers keep them for good.

All files share one digest: scripts import each other by relative addresses, which then carry it too. The style sheets
go out as one. A page names every module that its script imports, so that a browser requests them all at once.
"""

import hashlib
import mimetypes
import posixpath
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, url_for
from markupsafe import Markup

from web.http.rights import public

FOLDER = Path(__file__).parents[2] / "static"
# The order matters: later sheets refine earlier ones.
SHEETS = (
    "base",
    "frame",
    "controls",
    "jobs",
    "upload",
    "job",
    "job_page",
    "tables",
    "charts",
    "training",
    "models",
    "schedules",
    "review",
    "labels",
    "viewer",
    "account",
    "people",
    "print",
)
STYLE = "style.css"
YEAR_S = 365 * 86400
_DIGEST_LENGTH = 16
_DIGEST = re.compile(rf"^[0-9a-f]{{{_DIGEST_LENGTH}}}/")
_IMPORT = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)"', re.MULTILINE)


class StaticFiles:
    """All files below `web/static`, read once, and one digest of them all."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.files: dict[str, bytes] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self.files[STYLE] = b"\n".join(self.files.pop(f"style/{sheet}.css") for sheet in SHEETS)

    @cached_property
    def digest(self) -> str:
        """A digest of all names and contents, in hexadecimal."""
        content = hashlib.sha256()
        for name, data in sorted(self.files.items()):
            content.update(f"{name}\n{len(data)}\n".encode() + data)
        return content.hexdigest()[:_DIGEST_LENGTH]

    def imports(self, name: str) -> list[str]:
        """The names of all modules that a script imports, directly or through others, in the order of first use."""
        names = [name]
        for module in names:  # grows while it is read
            for address in _IMPORT.findall(self.files[module].decode()):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(module), address))
                if path not in names:
                    names.append(path)
        return names[1:]


def register_static_files(app: Flask) -> None:
    """Serve the files at `/static/<digest>/<name>`, and give templates the function `script`.

    An address with another digest comes from a page of another release, for example during an upgrade. It gets the file
    as it is here, and so does an address without a digest; browsers then ask again each time.
    """
    static_files = StaticFiles()

    @app.get("/static/<path:filename>", endpoint="static")
    @public
    def show_static_file(filename: str) -> Response:
        data = static_files.files.get(_DIGEST.sub("", filename))
        if data is None:
            abort(404)
        response = Response(data, mimetype=mimetypes.guess_type(filename)[0])
        if filename.startswith(f"{static_files.digest}/"):
            response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        return response

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["filename"] = f"{static_files.digest}/{values['filename']}"

    def script(name: str) -> Markup:
        """The tags of a script and of all modules that it imports."""
        preloads = [
            Markup('<link rel="modulepreload" href="{}">').format(url_for("static", filename=module))
            for module in static_files.imports(name)
        ]
        tag = Markup('<script type="module" src="{}"></script>').format(url_for("static", filename=name))
        return Markup("\n  ").join([*preloads, tag])

    app.jinja_env.globals["script"] = script
