"""Makes the pictures in docs/screenshots: `python -m tests.browser.screenshots`. Draws its own cats and dogs."""

import io
import random
import sys
import tempfile
from pathlib import Path
from typing import Literal
from uuid import UUID

from PIL import Image
from playwright.sync_api import Browser, Page
from pydantic import SecretStr
from sqlalchemy import select, update

from core.accounts import tokens
from core.base.config import Settings
from core.base.database import Database
from core.base.errors import ErrorCode
from core.base.states import JobState
from core.models import registry
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from migrations.run import migrate
from tests.support.browser.chromium import chromium, send
from tests.support.browser.drawings import draw_pet, draw_scene
from tests.support.browser.furnished_site import furnish
from tests.support.browser.login import log_in
from tests.support.browser.site import served
from tests.support.factories import make_job, make_manifest, make_upload, run_job
from tests.support.paths import ROOT
from web.app import create_app
from web.example.archive import NAME, list_drawings
from web.example.draw import PICTURES

FOLDER = ROOT / "docs" / "screenshots"
PICTURES_PER_S = 94.0
USUALLY_UNSURE = 0.08
Scheme = Literal["light", "dark"]
# Pages of a site with something on each of them.
OTHERS = {
    "labels-light": "/labels",
    "schedules-light": "/schedules",
    "account-light": "/account",
    "people-light": "/people",
    "audit-log-light": "/audit-log",
}


def main() -> None:
    """Make every picture anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _shoot_others()
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        db = Database(settings.sql_url)
        migrate(db)
        with db.write() as session:
            registry.register_shipped(session, [make_manifest() | {"metrics": {"judging": {"unsure": USUALLY_UNSURE}}}])
            token = tokens.create_token(session, "screenshots")
        with served(create_app(settings)) as site, chromium() as browser:
            job = _fill(db, Blobs(settings.store_url, 0))
            _shoot_example(_page(browser, site, token, "light", 1040, 640), site, db, Blobs(settings.store_url, 0))
            for scheme in ("light", "dark"):
                page = _page(browser, site, token, scheme, 1280, 860)
                if scheme == "light":
                    _shoot(page, "jobs-light")
                page.goto(f"{site}/jobs/{job}")
                _shoot(page, f"job-{scheme}")
            _shoot_labelling(page, f"{site}/jobs/{job}")
            _shoot_sending(_page(browser, site, token, "light", 1280, 640), db, Path(folder))
            page = _page(browser, site, token, "light", 390, 844)
            page.goto(f"{site}/jobs/{job}")
            _shoot(page, "job-phone")
        db.close()


def _shoot_others() -> None:
    """The pages of a site on which every page has something."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        db = Database(settings.sql_url)
        migrate(db)
        with db.write() as session:
            registry.register_shipped(session, [make_manifest()])
            token = tokens.create_token(session, "screenshots")
        furnish(db, Blobs(settings.store_url, 0))
        with served(create_app(settings)) as site, chromium() as browser:
            for name, address in OTHERS.items():
                page = _page(browser, site, token, "dark" if name.endswith("dark") else "light", 1280, 800)
                page.goto(site + address)
                _shoot(page, name)
        db.close()


def _shoot_example(page: Page, site: str, db: Database, blobs: Blobs) -> None:
    """The job that "Try an example" makes."""
    chance = random.Random(7)
    files = {f"{NAME}/{file.name}": file.read_bytes() for file in list_drawings()}
    drawn = [what if is_sure else "scene" for what, _, is_sure in PICTURES]
    outcomes = {path: _outcome(what, chance) for path, what in zip(files, drawn, strict=True)}
    job = make_job(db, make_upload(db, blobs, files, name=NAME))
    run_job(db, job, outcomes)
    page.goto(f"{site}/jobs/{job}")
    _shoot(page, "tutorial-job", n_colours=96)


def _shoot_labelling(page: Page, job: str) -> None:
    """Pictures chosen in the grid, one in the large view, and one under review."""
    page.emulate_media(color_scheme="light")
    page.goto(f"{job}?label=cat&sort=confidence")
    page.locator(".grid--placed .tile").nth(9).wait_for()
    for n in (1, 3, 4):
        page.locator(f'[aria-posinset="{n}"] [data-check]').check(force=True)
    _shoot(page, "choosing")
    page.keyboard.press("Escape")
    page.locator('[aria-posinset="2"] .tile__picture').click()
    _shoot(page, "large-view")
    page.goto(f"{job}/review")
    page.locator("[data-review][data-ready]").wait_for()
    _shoot(page, "review")


def _settings(folder: Path) -> Settings:
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'pawsort.db'}",
        redis_url=f"unix://{folder / 'none'}",
        blob_url=(folder / "blobs").as_uri(),
        secret_key=SecretStr("only for pictures of pages"),
        min_free_bytes=0,
    )


def _fill(db: Database, blobs: Blobs) -> UUID:
    """Three jobs; the last is the one to be shown."""
    chance = random.Random(5)
    for name, n_files in (("Shelter, March", 60), ("Garden camera", 90)):
        _make_job(db, blobs, name, n_files, chance)
    return _make_job(db, blobs, "Holiday 2026", 180, chance)


def _make_job(db: Database, blobs: Blobs, name: str, n_files: int, chance: random.Random) -> UUID:
    files: dict[str, bytes] = {}
    outcomes: dict[str, tuple[float, float] | ErrorCode] = {}
    for n in range(n_files):
        kind = chance.choices(("cat", "dog", "scene", "broken"), (10, 10, 2, 0.6))[0]
        path = f"{name}/day {n // 30 + 1}/IMG_{2100 + n}.jpg"
        files[path] = draw_scene(n) if kind == "scene" else draw_pet("cat" if kind == "broken" else kind, n)
        outcomes[path] = _outcome(kind, chance)
    job = make_job(db, make_upload(db, blobs, files, name=name))
    run_job(db, job, outcomes)
    _take_time(db, job, n_files)
    return job


def _outcome(kind: str, chance: random.Random) -> tuple[float, float] | ErrorCode:
    sure = chance.uniform(0.9, 0.998)
    return {
        "cat": (sure, (1 - sure) / 2),
        "dog": ((1 - sure) / 2, sure),
        "scene": (chance.uniform(0.2, 0.4), chance.uniform(0.2, 0.5)),
        "broken": ErrorCode.TRUNCATED,
    }[kind]


def _take_time(db: Database, job: UUID, n_files: int) -> None:
    """As long as workers would have needed."""
    with db.write() as session:
        session.execute(update(Job).where(Job.uuid == job).values(active_s=n_files / PICTURES_PER_S))


def _page(browser: Browser, site: str, token: str, scheme: Scheme, width: int, height: int) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", timezone_id="Europe/London"
    )
    page = context.new_page()
    log_in(page, site, token)
    return page


def _shoot_sending(page: Page, db: Database, folder: Path) -> None:
    """The first page with an upload half on its way: the last shard is held back."""
    dropped = folder / "Winter walks"
    dropped.mkdir()
    for n in range(700):
        (dropped / f"IMG_{n:04}.jpg").write_bytes(draw_pet("dog", n % 12))
    page.route("**/shards/2", lambda route: None)
    send(page, [dropped])
    page.get_by_text("Uploading: ").wait_for()
    job = _job_with(db, page, 512)
    run_job(db, job)
    _take_time(db, job, 512)
    page.get_by_text("Sorted: 512").wait_for()
    _shoot(page, "sending")


def _job_with(db: Database, page: Page, n_images: int) -> UUID:
    """The job over the upload that is on its way, as soon as so many files have arrived."""
    while True:
        with db.read() as session:
            found = session.scalar(select(Job.uuid).where(Job.state == JobState.RECEIVING, Job.n_total == n_images))
        if found is not None:
            return found
        page.wait_for_timeout(100)


def _shoot(page: Page, name: str, n_colours: int = 192) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    target = FOLDER / f"{name}.png"
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(n_colours, dither=Image.Dither.NONE).save(target, optimize=True)
    sys.stdout.write(f"{target.name}  {target.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
