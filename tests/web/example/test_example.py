"""The example: drawings that ship, sorted by one press as a job like any other."""

import io
import re
from uuid import uuid4

from flask.testing import FlaskClient
from PIL import Image, ImageChops, ImageStat
from sqlalchemy import select

from core.base.database import Database
from core.orm.jobs import Job
from core.orm.uploads import Image as StoredImage
from web.example import archive, draw

DATABASES = ("sqlite",)
PAGE = {"Accept": "text/html"}


def test_one_press_on_the_empty_page_sorts_a_dozen_drawings(browser: FlaskClient, db: Database) -> None:
    page = browser.get("/", headers=PAGE).text
    form = dict(re.findall(r'name="(csrf_token|id)" value="([^"]+)"', page[page.index('action="/example"') :])[:2])
    for _ in range(2):  # the button was pressed twice
        answer = browser.post("/example", data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{form['id']}")
    with db.read() as session:
        assert session.execute(select(Job.name, Job.n_total)).all() == [("Example", 12)]
        paths = session.scalars(select(StoredImage.path).order_by(StoredImage.ordinal)).all()
    assert paths == [f"Example/drawing {n:02}.jpg" for n in range(1, 13)]
    assert "Try an example" not in browser.get("/", headers=PAGE).text
    assert 'action="/example"' in browser.get("/help", headers=PAGE).text


def test_the_example_needs_the_token_of_its_form(browser: FlaskClient) -> None:
    assert browser.post("/example", data={"id": str(uuid4())}).status_code == 403


def test_the_drawings_are_those_of_the_script() -> None:
    files = archive.list_drawings()
    assert len(files) == len(draw.PICTURES) == 12
    what, seed, _ = draw.PICTURES[5]
    drawn = io.BytesIO()
    draw.DRAW[what](seed).save(drawn, "JPEG", quality=85)
    with Image.open(files[5]) as shipped, Image.open(drawn) as again:
        assert max(ImageStat.Stat(ImageChops.difference(shipped, again)).mean) < 2
    assert sum(file.stat().st_size for file in files) < 400_000
