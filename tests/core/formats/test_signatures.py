"""What can be seen of a file without decoding it; the decoder has the last word, and here it must say the same."""

import pytest

from core.base.errors import ErrorCode, ImageError
from core.base.image_formats import SUFFIXES
from core.decoding.images import decode_image
from core.formats.signatures import code_at_sight
from tests.support.archives import make_zip
from tests.support.factories import make_tar
from tests.support.paths import ROOT
from tests.support.pictures import FORMATS, draw, encode


@pytest.mark.parametrize("format", FORMATS)
def test_a_whole_picture_is_not_suspected(format: str) -> None:
    assert code_at_sight(encode(draw(1), format)) is None


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_that_breaks_off_is_left_to_the_decoder(format: str) -> None:
    whole = encode(draw(1), format)
    for length in (30, len(whole) // 2, len(whole) - 2):
        assert code_at_sight(whole[:length]) is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.EMPTY_FILE),
        (b"no picture", ErrorCode.NOT_AN_IMAGE),
        (b"8BPS\0\1", ErrorCode.UNSUPPORTED_FORMAT),
    ],
)
def test_what_is_no_picture_that_is_read_here_is_seen(data: bytes, code: ErrorCode) -> None:
    assert code_at_sight(data) == code
    with pytest.raises(ImageError) as refused:
        decode_image(data, 32)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (make_zip({"a.jpg": b"a"}), "ZIP archive"),
        (make_tar({"a.jpg": b"a"}), "TAR archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), "7z archive"),
        (bytes(5000), None),
        (b"a text", None),
    ],
)
def test_an_archive_among_pictures_is_named(data: bytes, detail: str | None) -> None:
    with pytest.raises(ImageError) as refused:
        decode_image(data, 32)
    assert (refused.value.code, refused.value.detail) == (ErrorCode.NOT_AN_IMAGE, detail)
    assert ("Unpack it" in str(refused.value)) is (detail is not None)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(99), "MP4 video. Videos can't be sorted."),
        (b"\0\0\0\x14ftypqt  " + bytes(99), "QuickTime video. Videos"),
        (b"RIFF\0\0\1\0AVI LIST" + bytes(99), "AVI video. Videos"),
        (b"\x47" + bytes(187) + b"\x47" + bytes(187), "AVCHD video. Videos"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF document. Documents can't be sorted."),
        (make_zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b""}), "Office document. Documents"),
        (b"RIFF\0\0\1\0WAVEfmt " + bytes(99), "WAV sound file. Only pictures can be sorted."),
    ],
)
def test_a_video_or_a_document_is_called_what_it_is(data: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence) as refused:
        decode_image(data, 32)
    assert refused.value.code == ErrorCode.NOT_AN_IMAGE


def test_no_sentence_about_a_file_names_a_setting() -> None:
    assert not any("PAWSORT" in code.sentence for code in ErrorCode)


def test_the_browser_picks_files_by_the_suffixes_of_the_registry() -> None:
    names = (ROOT / "web/static/upload/input/names.js").read_text()
    assert f"const PICTURE = /\\.({'|'.join(SUFFIXES)})$/i;" in names


def test_a_box_of_an_unknown_brand_is_left_to_the_decoder() -> None:
    assert code_at_sight(b"\0\0\0\x18ftypnew ....") is None
