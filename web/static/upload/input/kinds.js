/** What files are that don't look like pictures, by the endings of their names. */

import { count, plural } from "../../shared/text/words.js";
import { endingOf } from "./names.js";

const KINDS = [
  ["video", "mp4 mov m4v avi mkv webm mts m2ts ts mpg mpeg wmv 3gp 3g2 flv ogv vob mod tod insv"],
  ["document", "pdf doc docx odt rtf txt md xls xlsx ods csv ppt pptx odp pages numbers key epub html htm"],
  ["sound file", "mp3 m4a wav flac ogg aac wma opus aiff"],
  ["archive", "zip rar 7z tar gz tgz bz2 xz zst iso dmg cab"],
  ["unsupported camera raw", "x3f 3fr kdc dcr erf mrw mef mos iiq rwl sr2 srf crw"],
  ["unsupported picture", "psd psb svg svgz eps ai ico xcf jxl cdr exr hdr tga dcm djvu pcx wmf emf"],
];
const KIND_OF = new Map(KINDS.flatMap(([noun, endings]) => endings.split(" ").map((ending) => [ending, noun])));
const MOST_NAMED = 4;

/** "8 videos, 4 documents, 2 xyz": the most frequent kinds first; an unknown kind is named by its ending. */
export function kindWords(paths) {
  const numbers = new Map();
  for (const path of paths) {
    const ending = endingOf(path);
    const kind = KIND_OF.get(ending) ?? `.${ending}`;
    numbers.set(kind, (numbers.get(kind) ?? 0) + 1);
  }
  const most = Array.from(numbers).sort(([, a], [, b]) => b - a);
  const named = most.slice(0, MOST_NAMED).map(([kind, n]) => (kind.startsWith(".") ? `${count(n)} ${kind.slice(1)}` : plural(n, kind)));
  return named.join(", ") + (most.length > MOST_NAMED ? " and others" : "");
}
