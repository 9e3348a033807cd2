"""Names in archives that do not say their encoding."""

import gzip
import io
import struct
import tarfile
import zlib

import pytest

from core.base.errors import Invalid
from core.formats.archives import names as names_module
from core.formats.archives import zip_files
from core.formats.archives.names import NameDecoder, guess_encoding
from core.formats.archives.reading import read_archive
from tests.support.archives import make_raw_zip

NAMES = {
    "cp932": ["写真/犬ソ表.jpg", "写真/猫の寝顔.jpg", "家族旅行2019/海水浴.jpg", "ねこ/ﾀﾏ.jpg"],
    "gbk": ["照片/小猫.jpg", "照片/狗的照片.jpg", "北京旅游/长城.jpg"],
    "big5": ["照片/貓咪.jpg", "照片/狗的照片.jpg", "台北旅遊/夜市.jpg"],
    "cp949": ["사진/고양이.jpg", "사진/강아지 산책.jpg", "가족 여행/바다.jpg"],
    "cp866": ["Фото/кошка.jpg", "Фото/собака.jpg", "Отпуск 2019/море.jpg"],
    "cp1251": ["Фото/кошка.jpg", "Фото/собака.jpg", "Отпуск 2019/море.jpg"],
    "cp1252": ["Müller/Kätzchen.jpg", "Straße.jpg", "été à la plage.jpg", "señor.jpg"],
    "cp437": ["Müller/Kätzchen.jpg", "Straße.jpg", "été à la plage.jpg", "señor.jpg"],
    "cp850": ["Müller/Kätzchen.jpg", "São Paulo.jpg", "Ångström.jpg"],
    "cp1250": ["Zdjęcia/źrebię.jpg", "Zdjęcia/żółw na łące.jpg", "Święta/piesek Łatek.jpg"],
    "cp852": ["Zdjęcia/źrebię.jpg", "Zdjęcia/żółw na łące.jpg", "Święta/piesek Łatek.jpg"],
    "cp1253": ["Φωτογραφίες/γάτα.jpg", "Φωτογραφίες/σκύλος.jpg", "Διακοπές/θάλασσα.jpg"],
    "cp857": ["Fotoğraflar/köpek şirin.jpg", "Fotoğraflar/ağaç.jpg"],
    "cp1255": ["תמונות/חתול.jpg", "תמונות/כלב.jpg"],
    "koi8-r": ["Фото/кошка.jpg", "Фото/собака.jpg", "Отпуск 2019/море.jpg"],
    "euc_jp": ["写真/犬の散歩.jpg", "写真/猫の寝顔.jpg", "家族旅行2019/海水浴.jpg"],
    "utf-8": ["写真/猫.jpg", "Müller.jpg", "кошка.jpg"],
}


def read_paths(data: bytes, names: str | None = None) -> list[str]:
    body = io.BytesIO(data)
    return [item.path for item in read_archive(body.read, max_image_bytes=99, max_upload_bytes=2**30, names=names)]


def make_raw_tar(names: list[str], encoding: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding) as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return out.getvalue()


@pytest.mark.parametrize("encoding", NAMES)
def test_names_of_a_zip_are_read_in_the_encoding_that_they_have_in_common(encoding: str) -> None:
    names = NAMES[encoding]
    assert read_paths(make_raw_zip({name.encode(encoding): b"\0" for name in names})) == names


@pytest.mark.parametrize("encoding", NAMES)
def test_names_are_read_in_the_encoding_that_somebody_gives(encoding: str) -> None:
    first = NAMES[encoding][0]
    assert read_paths(make_raw_zip({first.encode(encoding): b"\0"}), encoding) == [first]
    assert read_paths(make_raw_tar([first], encoding), encoding) == [first]


@pytest.mark.parametrize("encoding", NAMES)
def test_names_of_a_tar_are_read_in_the_encoding_that_they_have_in_common(encoding: str) -> None:
    names = NAMES[encoding]
    assert read_paths(make_raw_tar(names, encoding)) == names
    assert read_paths(gzip.compress(make_raw_tar(names, encoding))) == names


@pytest.mark.parametrize("encoding", NAMES)
def test_names_of_a_zip_that_is_too_large_to_keep_are_read_by_those_of_its_beginning(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_files, "KEPT_BYTES", 1)
    names = NAMES[encoding]
    assert read_paths(make_raw_zip({name.encode(encoding): b"\0" for name in names})) == names


def test_a_tar_that_breaks_off_behind_names_in_an_old_encoding_keeps_what_came_before() -> None:
    names = [f"写真/犬ソ表{number}.jpg" for number in range(100)]
    pieces = iter([make_raw_tar(names, "cp932")[: len(names) * tarfile.BLOCKSIZE]])

    def read(n_bytes: int) -> bytes:
        try:
            return next(pieces)
        except StopIteration:
            raise ConnectionError from None

    found: list[str] = []
    with pytest.raises(ConnectionError):
        found.extend(item.path for item in read_archive(read, max_image_bytes=99, max_upload_bytes=2**30))
    assert found == names


def test_a_single_name_can_decide_for_others_that_could_be_anything() -> None:
    short, long = "猫.jpg", "写真/桜の木の下で猫が寝ている.jpg"
    assert read_paths(make_raw_zip({short.encode("cp932"): b"\0", long.encode("cp932"): b"\0"})) == [short, long]
    assert read_paths(make_raw_tar([short, long], "cp932")) == [short, long]


def test_many_names_take_few_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    guessed_from: list[int] = []

    def guess(found: set[bytes]) -> str:
        guessed_from.append(len(found))
        return "cp932"

    monkeypatch.setattr(names_module, "guess_encoding", guess)
    decoder = NameDecoder()
    for n in range(1000):
        decoder.decode(f"猫{n}.jpg".encode("cp932"))
    assert len(guessed_from) < 40


def test_a_letter_of_east_asia_within_a_word_is_a_wrong_guess() -> None:
    assert guess_encoding(["cumpleaños.jpg".encode("cp850"), "Año nuevo/fotografía.jpg".encode("cp850")]) != "big5hkscs"


def test_a_name_without_evidence_keeps_its_bytes() -> None:
    assert guess_encoding([b"\xff\xfe\xfd.jpg"]) is None
    assert read_paths(make_raw_zip({b"d\\\xff\xfe.jpg": b"\0"})) == ["d/\\xff\\xfe.jpg"]


def test_a_byte_of_a_letter_never_divides_folders() -> None:
    (path,) = read_paths(make_raw_zip({b"\x83\x5c\xff\xff.jpg": b"\0"}))
    assert "/" not in path


def test_the_name_in_unicode_beside_an_old_one_counts() -> None:
    old, new = b"?.jpg", "猫.jpg".encode()
    field = struct.pack("<BL", 1, zlib.crc32(old)) + new
    assert read_paths(make_raw_zip({old: b"\0"}, extra=struct.pack("<HH", 0x7075, len(field)) + field)) == ["猫.jpg"]
    stale = struct.pack("<BL", 1, zlib.crc32(b"renamed")) + new
    assert read_paths(make_raw_zip({old: b"\0"}, extra=struct.pack("<HH", 0x7075, len(stale)) + stale)) == ["?.jpg"]


@pytest.mark.parametrize("encoding", ["klingon", "", "utf-16", "base64", "rot13"])
def test_an_encoding_that_does_not_exist_gets_a_sentence(encoding: str) -> None:
    with pytest.raises(Invalid, match="expected an encoding"):
        read_paths(make_raw_zip({b"a": b"\0"}), encoding)
