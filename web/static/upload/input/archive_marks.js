/** What archives begin with, and where: the marks of core/formats/archives/kinds.py in Latin-1. A test compares them. */
export const ARCHIVE_MARKS = [
  [0, "PK\u0003\u0004"], [0, "PK\u0005\u0006"], [0, "PK\u0006\u0006"], [0, "PK00PK\u0003\u0004"], [0, "PK\u0007\bPK\u0003\u0004"],
  [0, "\u001f\u008b"], [0, "BZh"], [0, "\u00fd7zXZ\u0000"], [0, "(\u00b5/\u00fd"], [0, "P*M\u0018"], [0, "Q*M\u0018"], [0, "R*M\u0018"],
  [0, "S*M\u0018"], [0, "T*M\u0018"], [0, "U*M\u0018"], [0, "V*M\u0018"], [0, "W*M\u0018"], [0, "X*M\u0018"], [0, "Y*M\u0018"],
  [0, "Z*M\u0018"], [0, "[*M\u0018"], [0, "\\*M\u0018"], [0, "]*M\u0018"], [0, "^*M\u0018"], [0, "_*M\u0018"],
  [0, "7z\u00bc\u00af'\u001c"], [0, "Rar!\u001a\u0007"], [0, "RE~^"], [0, "]\u0000\u0000"], [0, "LZIP"], [0, "\u0004\"M\u0018"],
  [0, "\u0089LZO\u0000\r\n\u001a\n"], [0, "\u001f\u009d"], [0, "\u001f\u00a0"], [2, "-lh"], [2, "-lz"], [0, "`\u00ea"], [7, "**ACE**"],
  [0, "ZOO "], [0, "MSCF"], [0, "ISc("], [0, "StuffIt"], [0, "SIT!"], [0, "SITD"], [0, "xar!"], [0, "07070"], [0, "\u00c7q"],
  [0, "!<arch>\n"], [0, "\u00ed\u00ab\u00ee\u00db"], [0, "hsqs"], [0, "MSWIM\u0000\u0000\u0000"], [0, "zPQ"], [0, "7kSt"], [0, "encrcdsa"],
  [32769, "CD001"]
];
