"""Small pictures for pages: few at the same time, and never made in the web's own process."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from core.base.config import Settings
from core.base.errors import Busy, ErrorCode, ImageError
from core.decoding.images import make_thumbnail
from tests.support import pictures
from tests.support.waiting import until
from web.http import thumbnails as thumbnails_module
from web.http.byte_budget import ByteBudget
from web.http.thumbnails import PictureFile, Thumbnails

PICTURE = pictures.jpeg(1)


def file_of(data: bytes) -> PictureFile:
    def write(room: memoryview) -> None:
        room[:] = data

    return PictureFile(len(data), write)


FILE = file_of(PICTURE)


@pytest.fixture
def thumbnails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Thumbnails]:
    monkeypatch.setattr(thumbnails_module, "MAX_CHILDREN", 1)
    monkeypatch.setattr(thumbnails_module, "WAIT_S", 0.01)
    made = Thumbnails(settings.model_copy(update={"web_threads": 4}))
    yield made
    made.close()


def test_a_thumbnail_is_what_the_decoder_makes(thumbnails: Thumbnails) -> None:
    assert thumbnails.make(FILE, 128) == make_thumbnail(PICTURE, 128)


def test_a_broken_picture_raises_its_error(thumbnails: Thumbnails) -> None:
    with pytest.raises(ImageError) as caught:
        thumbnails.make(file_of(b"no picture"), 128)
    assert caught.value.code == ErrorCode.NOT_AN_IMAGE


def test_who_finds_no_free_child_is_asked_to_come_back(thumbnails: Thumbnails) -> None:
    thumbnails.make(FILE, 128)
    slow = pictures.encode(pictures.Image.effect_noise((6000, 6000), 90), "PNG")
    busy = threading.Thread(target=thumbnails.make, args=(file_of(slow), 128))
    busy.start()
    until(lambda: not thumbnails._pool._free._free)
    with pytest.raises(Busy, match="few seconds"):
        thumbnails.make(FILE, 128)
    busy.join()
    assert thumbnails.make(FILE, 128)


def test_only_a_part_of_the_threads_writes_reports(thumbnails: Thumbnails) -> None:
    with thumbnails.for_report() as make:
        assert make(FILE, 128) == make_thumbnail(PICTURE, 128)
        with pytest.raises(Busy), thumbnails.for_report():
            pass
    with thumbnails.for_report():
        pass


def test_a_file_is_read_once_there_is_room_for_it(thumbnails: Thumbnails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "_budget", ByteBudget(len(PICTURE) // 2))
    with thumbnails._budget.holding(1, None), pytest.raises(Busy):
        thumbnails.make(PictureFile(len(PICTURE), lambda _: pytest.fail("was read")), 128)
    assert thumbnails.make(FILE, 128) == make_thumbnail(PICTURE, 128)  # a larger file waits until it is alone


@pytest.mark.parametrize(
    "code", ["import web.app", "import worker.inference.classification", "import worker.maintenance.discard_originals"]
)
def test_no_process_that_holds_keys_imports_a_decoder(code: str) -> None:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"PIL", "pillow_heif", "rawpy", "core.decoding.images"} & set(ended.stdout.split())
