/** File names: which files are pictures, archives or system files, and names for uploads. */

import { IGNORED_NAMES } from "./ignored_names.js";

const FILES = finder("files");
const FOLDERS = finder("folders");
/** Suffixes of core/base/image_formats.py; the server decides by content. */
const PICTURE = /\.(jpg|jpeg|jpe|jfif|png|webp|bmp|dib|gif|tif|tiff|avif|heic|heif|hif|jp2|j2k|jpf|jpx|j2c|dng|cr2|cr3|nef|nrw|arw|orf|rw2|raf|pef|srw)$/i;
const ENDING = /\.([^./]{1,10})$/;
const ARCHIVE = /\.(zip|tar|tar\.(gz|bz2|xz|zst)|tgz|tbz2?|txz|tzst)$/i;

/**
 * What a file is that systems or tools left behind; the same rule as in core/formats/ignored_names.py. The name of a dropped folder is none.
 *
 * @returns {{one: string, many: string}|null} null for a file that counts.
 */
export function ignoredKind(path) {
  const parts = path.split("/");
  const name = parts.pop();
  for (const folder of parts.slice(1)) {
    const kind = FOLDERS(folder);
    if (kind) return kind;
  }
  return FILES(name);
}

/** Finds the kind of a name: by a map of whole names, else by one expression with a group for each kind. */
function finder(what) {
  const isPattern = (name) => /[*?]/.test(name);
  const whole = new Map(IGNORED_NAMES.flatMap((kind) => kind[what].filter((name) => !isPattern(name)).map((name) => [name, kind])));
  const kinds = IGNORED_NAMES.filter((kind) => kind[what].some(isPattern));
  const groups = kinds.map((kind) => `(${kind[what].filter(isPattern).map(expression).join("|")})`);
  const patterns = new RegExp(`^(?:${groups.join("|")})$`, "su");
  return (name) => {
    const plain = name.normalize("NFC").toLowerCase();
    const found = whole.get(plain);
    if (found) return found;
    const match = patterns.exec(plain);
    return match === null ? null : kinds[match.slice(1).findIndex((group) => group !== undefined)];
  };
}

function expression(pattern) {
  return pattern
    .replace(/[.+^${}()|[\]\\/]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
}

/** False for a file whose name has an ending of another kind of file. */
export function mayBePicture(path) {
  return PICTURE.test(path) || !ENDING.test(path);
}

/** "films/A.MP4" -> "mp4". */
export function endingOf(path) {
  return ENDING.exec(path)?.[1].toLowerCase() ?? "";
}

/** Whether the server unpacks this file. Only single files, not those inside a folder. */
export function isArchive(path) {
  return !path.includes("/") && ARCHIVE.test(path);
}

/** "photos.tar.gz" -> "photos". */
export function archiveName(path) {
  return presentable(path.replace(ARCHIVE, "") || path);
}

let nPasted = 0;

/** Browsers call every pasted picture "image.png", so it gets a unique name. Other pasted files keep their names. */
export function namedPasted(entry) {
  const now = new Date();
  const ending = entry instanceof File ? /^image(\.[a-z]+)$/.exec(entry.name)?.[1] : undefined;
  if (ending === undefined) return entry;
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map(twoDigits).join("-");
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(twoDigits).join(".");
  nPasted += 1;
  return new File([entry], `Pasted ${day} ${time} (${nPasted})${ending}`, { type: entry.type, lastModified: entry.lastModified });
}

function twoDigits(n) {
  return String(n).padStart(2, "0");
}

/**
 * A short name for an upload: the folder's, the file's, or the number of files.
 *
 * @param {string[]} paths
 */
export function nameFor(paths) {
  const tops = new Set(paths.map((path) => path.slice(0, (path.indexOf("/") + 1 || path.length + 1) - 1)));
  const [first] = tops;
  if (tops.size === 1) return presentable(first);
  return paths.every((path) => !path.includes("/")) ? `${tops.size} files` : presentable(`${first} and ${tops.size - 1} more`);
}

/** As the server takes names: no control characters, at most 500 characters, not empty. */
export function presentable(name) {
  const plain = name.replace(/[\u0000-\u001f\u007f]/g, " ").trim();
  return Array.from(plain).slice(0, 200).join("") || "Pictures";
}
