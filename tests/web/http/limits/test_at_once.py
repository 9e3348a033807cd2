"""How much of one kind a person, and all people, may have at once."""

import pytest

from core.base.config import Settings
from core.base.errors import Busy, TooMany
from web.app import App
from web.http.limits.at_once import AtOnce, Work

DATABASES = ("sqlite",)  # nothing here depends on the kind
MAYA, NOOR, OMAR = 1, 2, 3


@pytest.fixture
def at_once() -> AtOnce:
    return AtOnce(Settings(_env_file=None, archives_at_once=2, downloads_at_once=2, web_threads=12))  # type: ignore[call-arg]


def test_one_person_has_a_limit_and_others_have_their_own(at_once: AtOnce) -> None:
    ends = [at_once.begin(Work.ARCHIVE, MAYA, is_counted=True) for _ in range(2)]
    with pytest.raises(TooMany, match="2 archives running"):
        at_once.begin(Work.ARCHIVE, MAYA, is_counted=True)
    at_once.begin(Work.ARCHIVE, NOOR, is_counted=True)
    at_once.begin(Work.UPLOAD, MAYA, is_counted=True)
    ends[0]()
    at_once.begin(Work.ARCHIVE, MAYA, is_counted=True)


def test_downloads_leave_threads_for_everything_else(at_once: AtOnce) -> None:
    for user_id in (MAYA, NOOR, OMAR):
        at_once.begin(Work.DOWNLOAD, user_id, is_counted=False)
    with pytest.raises(Busy, match="Too many downloads"):
        at_once.begin(Work.DOWNLOAD, OMAR, is_counted=False)


@pytest.mark.parametrize(
    ("endpoint", "work"),
    [
        ("uploads.upload_shard", Work.UPLOAD),
        ("archives.put_archive", Work.ARCHIVE),
        ("upload_pages.send_archive", Work.ARCHIVE),
        ("exports.export_zip", Work.DOWNLOAD),
        ("images.get_original", Work.DOWNLOAD),
        ("images.get_thumbnail", Work.THUMBNAIL),
    ],
)
def test_what_takes_long_is_marked(app: App, endpoint: str, work: Work) -> None:
    assert getattr(app.view_functions[endpoint], "work", None) == work
