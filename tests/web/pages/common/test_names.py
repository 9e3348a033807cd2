"""Names on pages: what nobody sees is shown, and nothing of a name turns the text around it."""

import re

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_upload, run_job
from tests.support.paths import ROOT
from web.pages.common.names import UNSEEN, as_name, as_text


@pytest.mark.parametrize("name", ["猫 1.jpg", "قطة.jpg", "👩‍👧.jpg", "نمی‌خواهم", "a\u3000b", "&nbsp;"])
def test_a_name_that_is_seen_stays_as_it_is(name):
    assert as_name(name).unescape() == f"<bdi>{name}</bdi>"


def test_what_nobody_sees_is_shown_by_its_number():
    shown = as_name("<b>\u202egpj\u200b\x9b\U000e0061")
    marks = [f'<span class="unseen">U+{number}</span>' for number in ("202E", "200B", "009B", "E0061")]
    assert shown == f"<bdi>&lt;b&gt;{marks[0]}gpj{''.join(marks[1:])}</bdi>"


def test_the_browser_shows_the_same_characters():
    script = (ROOT / "web/static/shared/text/names.js").read_text("utf-8")
    pattern = re.search(r"UNSEEN = /(.*)/gu;", script)
    assert pattern is not None
    in_browser = re.compile(re.sub(r"\\u\{(\w+)\}", lambda found: chr(int(found[1], 16)), pattern[1]))
    characters = [chr(number) for number in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xF0000))]
    assert [one for one in characters if bool(in_browser.match(one)) is not bool(UNSEEN.match(one))] == []


def test_the_pages_of_a_job_mark_what_its_files_hide(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, {"h\u202eat/a\u202egpj.exe.jpg": draw_picture(1)}), name="holi\u200bday")
    run_job(db, job)
    for address in (f"/jobs/{job}", "/"):
        page = client.get(address).text
        assert 'holi<span class="unseen">U+200B</span>day' in page
    assert 'a<span class="unseen">U+202E</span>gpj' in client.get(f"/jobs/{job}").text
    assert 'Folder <bdi>h<span class="unseen">U+202E</span>at' in client.get(f"/jobs/{job}?folder=h\u202eat").text


def test_the_pages_of_a_schedule_mark_what_its_name_hides(client: FlaskClient) -> None:
    schedule = {"name": "ni\u202eght", "kind": "clean_up", "cron": "0 3 * * *", "parameters": {"older_than_days": 30}}
    number = client.post("/api/v1/schedules", json=schedule).json["id"]  # type: ignore[index]
    for address in ("/schedules", f"/schedules/{number}", f"/schedules/{number}/delete"):
        assert 'ni<span class="unseen">U+202E</span>ght' in client.get(address).text


def test_an_attribute_has_marks_as_text() -> None:
    assert as_text("a\u202egpj.exe") == "a U+202E gpj.exe"
    assert as_text("père 猫 👩‍👩‍👧.jpg") == "père 猫 👩‍👩‍👧.jpg"
