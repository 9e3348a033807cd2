/** File names: which files are pictures, archives or system files, and names for uploads. */

const LITTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);
/** Suffixes of core/base/image_formats.py; the server decides by content. */
const PICTURE = /\.(jpg|jpeg|jpe|jfif|png|webp|bmp|dib|gif|tif|tiff|avif|heic|heif|hif|jp2|j2k|jpf|jpx|j2c|dng|cr2|cr3|nef|nrw|arw|orf|rw2|raf|pef|srw)$/i;
const ENDING = /\.([^./]{1,10})$/;
const ARCHIVE = /\.(zip|tar|tar\.(gz|bz2|xz|zst)|tgz|tbz2?|txz|tzst)$/i;

/** Whether a file is a system file; the same rule as in core/formats/shards.py. */
export function isIgnored(path) {
  const parts = path.split("/");
  const name = parts.pop();
  return LITTER.has(name) || name.startsWith("._") || parts.includes("__MACOSX");
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
