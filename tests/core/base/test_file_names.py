"""Names of files: every one can be unpacked on Windows, macOS and Linux."""

import pytest

from core.base import file_names
from core.base.file_names import safe_name
from pawsort.files import safe_names

EXAMPLES = [
    ("..", "_"),
    ("C:x.jpg", "C_x.jpg"),
    ("a\x00b\x85c\u2028d.jpg", "a_b_c_d.jpg"),
    ("gpj.\u202eexe", "gpj._exe"),
    ("caf\udce9.jpg", "caf_udce9.jpg"),
    ("ё" * 300 + ".jpg", "ё" * 118 + ".jpg"),
    ("CON", "_CON"),
    ("aux.jpg", "_aux.jpg"),
    ("Com1.tar.gz", "_Com1.tar.gz"),
    ("lpt³.png", "_lpt³.png"),
    ("nul .png", "_nul .png"),
    ("conin$", "_conin$"),
    ("console.jpg", "console.jpg"),
    ("com10.jpg", "com10.jpg"),
    ("name.", "name_"),
    ("name . ", "name___"),
    ("a" * 239 + " b", "a" * 239 + "_"),
    (" name", " name"),
    ("clock$.bmp", "_clock$.bmp"),
    ('a|b<c>"d*e?.jpg', "a_b_c__d_e_.jpg"),
]


@pytest.mark.parametrize(("name", "expected"), EXAMPLES)
def test_names_become_what_every_file_system_takes(name: str, expected: str) -> None:
    assert safe_name(name) == expected


@pytest.mark.parametrize("name", [name for name, _ in EXAMPLES])
def test_safe_names_stay_as_they_are(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


@pytest.mark.parametrize("name", [name for name, _ in EXAMPLES])
def test_the_client_names_files_as_the_server_does(name: str) -> None:
    assert safe_names.safe_name(name) == safe_name(name)


def test_the_client_knows_the_same_devices_and_characters() -> None:
    assert safe_names.DEVICES == file_names.DEVICES
    assert safe_names.UNSAFE == file_names.UNSAFE
