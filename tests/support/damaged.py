"""Draws pictures of every kind of coding, and damages them: cut, padded, with wrong checksums or false sizes."""

import base64
import io
import struct
import zlib

from PIL import Image

from tests.support.pictures import draw, encode

# A drawing, 64 x 96 pixels, coded arithmetically, which Pillow reads and does not write. Made with jpegtran -arithmetic
# (and -progressive) of libjpeg-turbo 2.1.5.
_ARITHMETIC = (
    "|JeWF01!$>Nk#wx0RR9200961|JwjV03a3^92gWJ92y)XA|NI(P&6<sEHGk5N;*(<W_oyXW^itRkhq+Hh^~rmaG=_vuD-"
    "<1(9V3C;_~3g@VLs(#{b&@LjfWrBrqy4UNkgb#)NQ$#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>W5201*"
    "fPU;sb^0U`hb5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zftuND+?<@eKyX&ncj!AA8CJK4x*+Dy?Z;CCcu61wYd&GaJBzJlpN!gGi|jM-"
    "yNser;l?k2D1<A|rG4)h+a_^|Z4b1>=S2^)}L5&Quc22&6oVX_WLJJPrqsmB{Q)k#_+pmG%`<iXnfImY{ZqXS*g$#sN|W9bX`xay@V3=Fc-"
    "B&G1php~CKdueGY(1Q4H4>4hFa3HBa=5{}dZ0w!Md>#C)X?}$8_J{3uDt}lQ$!ETcUN^kO)C7whJ82h)Bfy~30`%vERKwfPT%RhK;w>$l9FZ9I"
    "{83`b;RF>iiacIy1Yo^iy++{?TvfB6C;?n3*?Ie`&??CVL#gWK0!9^pO~V#1-emj0WS6s`;clm3$}N;y>VW^*"
)
_ARITHMETIC_PROGRESSIVE = (
    "|JeWF01!$>Nk#wx0RR9200961|JwjV03a3^92gWJ92y)XA|NI(P&6<sEHGk5N;*(<W_oyXW^itRkhq+Hh^~rmaG=_vuD-"
    "<1(9V3C;_~3g@VLs(#{b&@LjfWrBrqy4UNkgb#)NQ$#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>U3R#>W5301*"
    "fPU;sb^0U`hb5di}c0sqVZ1^^HN5dYc$3<CiG0uTcb0005)_r<-"
    "IbWG1zL=D}DANvAzwu2*(^;h>+Ke_6p_SAdk|I7dc5C#9*00;pA009L8udm*K|I7dc5e5I+00;pC0RcY&!zZHmr$i5;1Aza`00a>Q|Jncu0RjO"
    "5KLNvPR>*r>Ol83T%m4%s1^?Or2mt{A20sF*|I7dc5C#9*00;pA00BQCv}i#6F;_5&y9%#N^>6>$01N{G00IC50000GT=I`Bh8>eL1Gzl}#jot"
    "vTPpv|00a>Q|Jncu0RsU6KM=slHC{8awE6(f|I7dc5e5I+00;pB0RcY{swVUYfGLw9=&1k900a;P|Jncu0RaF3KM-85{6#4CF2PN-"
    "0pE)mGOlov!afMwPClmVTj!j0QYg&pc}Q*C9NPZ?1uvr&F*!^b&y0BVbW){xTOJ(lwWp=dWLS+P_e!`g1(@o$T3l95dI;nLw2vP}Xb|>}mP^yc"
    "pH)*P+Qqy;o5^gyFzr&y0$REfEKNERcEBiy`M9|Y_8rl6FXpWxGph1^LH_{Hv{;-68|Wt;V-Yk>>#Nr#cZZdFD)GX`l+5JSgs~aPVQ7WQF}wfS"
)


def jpegs(size: tuple[int, int] = (160, 480)) -> dict[str, bytes]:
    """The same drawing in every kind of JPEG that can be made here, by name."""
    image = draw(5, size=size)
    return {
        "baseline": encode(image, "JPEG", quality=80),
        "full colours": encode(image, "JPEG", quality=80, subsampling=0),
        "restart markers": encode(image, "JPEG", quality=80, restart_marker_blocks=3),
        "grey": encode(image.convert("L"), "JPEG", quality=80),
        "CMYK": encode(image.convert("CMYK"), "JPEG", quality=80),
        "progressive": encode(image, "JPEG", quality=80, progressive=True),
    }


def arithmetic_jpegs() -> dict[str, bytes]:
    """A small drawing with arithmetic coding, in one scan and in several."""
    return {
        "arithmetic": base64.b85decode("".join(_ARITHMETIC)),
        "arithmetic, progressive": base64.b85decode("".join(_ARITHMETIC_PROGRESSIVE)),
    }


def multi_picture_jpeg(size: tuple[int, int] = (160, 480)) -> bytes:
    """An MPO: two JPEGs in one file, as stereo cameras and phones write them."""
    return encode(draw(5, size=size), "MPO", save_all=True, append_images=[draw(6, size=size)])


def many_scans(size: tuple[int, int], n: int) -> bytes:
    """A progressive JPEG of one colour with n more scans that add nothing."""
    data = encode(Image.new("L", size), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * n + data[-2:]


def chunk(kind: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    """A chunk of a PNG, with the right checksum unless another is given."""
    right = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", right if checksum is None else checksum)


def with_chunk(png: bytes, added: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + added + png[33:]


def break_checksum(png: bytes, kind: bytes) -> bytes:
    """A PNG whose first chunk of a kind has a wrong checksum."""
    at = png.index(kind)
    end = at + 4 + int.from_bytes(png[at - 4 : at], "big")
    return png[:end] + bytes(byte ^ 255 for byte in png[end : end + 4]) + png[end + 4 :]


def tiff_with_large_tile(side_px: int) -> bytes:
    """A TIFF of 16 x 16 pixels whose only tile is a large one of zeros, packed to a few kilobytes."""
    packed = zlib.compress(bytes(side_px * side_px), 9)
    entries = [
        (256, 4, 16), (257, 4, 16), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1),
        (322, 4, side_px), (323, 4, side_px), (324, 4, 8), (325, 4, len(packed)),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    return b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + directory + bytes(4)


def tiff_with_many_strips(n: int) -> bytes:
    """A TIFF one pixel wide and a strip for each of its rows, all of them the same byte of the file."""
    strips = 8 + 2 + 12 * 9 + 4
    entries = [
        (256, 4, 1, 1), (257, 4, 1, n), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, n, strips),
        (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, n, strips + 4 * n),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + struct.pack("<I", 8) * n + struct.pack("<I", 1) * n


def with_false_size(format: str, width: int, height: int, said: int) -> bytes:
    """An AVIF or HEIC whose boxes say that it is a square of `said` pixels, over a larger frame."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 60, 30)).save(out, format, quality=10)
    size = b"ispe" + bytes(4)
    return out.getvalue().replace(size + struct.pack(">II", width, height), size + struct.pack(">II", said, said))


def with_crop(avif: bytes, crop: tuple[int, int, int, int]) -> bytes:
    """An AVIF as Pillow writes it, of whose frame only left, top, right and bottom are the picture."""
    at = avif.index(b"ispe") + 8
    width, height = struct.unpack_from(">II", avif, at)
    left, top, right, bottom = crop
    across, down = left + right - width, top + bottom - height  # halves
    clap = struct.pack(">I4s4IiIiI", 40, b"clap", right - left, 1, bottom - top, 1, across, 2, down, 2)
    ipma = avif.index(b"ipma") - 4
    n_ipco = int.from_bytes(avif[avif.index(b"ipco") - 4 :][:4], "big")
    properties, start = 0, avif.index(b"ipco") + 4
    while start < avif.index(b"ipco") - 4 + n_ipco:
        properties, start = properties + 1, start + int.from_bytes(avif[start : start + 4], "big")
    n = avif[ipma + 18]  # properties of the first item
    ends = ipma + 19 + n
    made = bytearray(avif[:ipma] + clap + avif[ipma : ipma + 18] + bytes((n + 1,)) + avif[ipma + 19 : ends])
    made += bytes((0x80 | properties + 1,)) + avif[ends:]
    for kind, added in ((b"ipco", 40), (b"iprp", 41), (b"meta", 41), (b"ipma", 1)):
        size = made.index(kind) - 4
        made[size : size + 4] = (int.from_bytes(made[size : size + 4], "big") + added).to_bytes(4, "big")
    old, new = avif.index(b"mdat") + 4, made.index(b"mdat") + 4
    iloc = made.index(b"iloc")
    place = made.index(old.to_bytes(4, "big"), iloc)
    made[place : place + 4] = new.to_bytes(4, "big")
    return bytes(made)
