"""Files that are no pictures: videos, documents and sound files, by their first bytes.

Only for the sentence that explains why such a file has no label. The last word of a name says what to do about it
(`core.base.errors`).
"""

import re

_KINDS = {
    rb".{4}ftyp(isom|iso[2-9]|mp4[12]|avc1|M4V|mmp4|dash|MSNV|f4v |XAVC)": "MP4 video",
    rb".{4}ftypqt  |.{4}(moov|mdat|wide|pnot)": "QuickTime video",
    rb".{4}ftyp3g[2gp]": "3GP video",
    rb".{4}ftypM4[AB] ": "M4A sound file",
    rb"RIFF.{4}AVI ": "AVI video",
    rb"RIFF.{4}WAVE": "WAV sound file",
    rb"\x1a\x45\xdf\xa3": "Matroska video",
    rb"\0\0\x01[\xba\xb3]": "MPEG video",
    rb"\x47.{187}\x47|.{4}\x47.{191}\x47": "AVCHD video",
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "Windows Media video",
    rb"FLV\x01": "Flash video",
    rb"ID3[\2-\4]|\xff[\xfb\xf3\xf2]": "MP3 sound file",
    rb"fLaC": "FLAC sound file",
    rb"%PDF-\d": "PDF document",
    rb"\{\\rtf1": "RTF document",
    rb"\s*<(!doctype html|html[\s>])": "HTML document",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Office document",
    rb"PK\x03\x04.{26}(\[Content_Types\]\.xml|_rels/|docProps/|word/|xl/|ppt/)": "Office document",
    rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis": "LibreOffice document",
    rb"PK\x03\x04.{26}mimetypeapplication/epub": "EPUB document",
}
_PATTERNS = tuple((re.compile(pattern, re.DOTALL | re.IGNORECASE), name) for pattern, name in _KINDS.items())


def find_file_kind(head: bytes) -> str | None:
    """What a file is that is no picture, such as "MP4 video"; None if it is not known.

    Args:
        head: The first bytes of the file, at least 200 of a longer one.
    """
    return next((name for pattern, name in _PATTERNS if pattern.match(head)), None)
