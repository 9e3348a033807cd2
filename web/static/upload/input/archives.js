/**
 * Which loose files are archives, by their bytes: the same rules as in core/formats/archives/kinds.py. Kinds that the server does not
 * unpack are sent to it as well, because it refuses them by name.
 */

import { ARCHIVE_MARKS } from "./archive_marks.js";

const HEAD_BYTES = 40 * 2 ** 10; // the mark of a disk image comes after its first 32 KiB
const PROGRAM_BYTES = 4 * 2 ** 20;
const PIECE_BYTES = 2 ** 15;
const PROGRAM = /^(MZ|\x7fELF|#!)/;
const BEHIND_PROGRAM = /PK\x03\x04[\x0a-\x3f]\0|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07/;
/** Of a tar's header: its length, where its checksum stands, and where newer ones have their mark. */
const TAR = { nBytes: 512, checksum: [148, 156], mark: 257 };
/** More loose files than this are pictures, and looking into each would take seconds. */
const MOST_FILES = 200;

/**
 * Note for each loose file whether it is an archive. A file that cannot be read is left to its name.
 *
 * @param {import("./collect.js").Found[]} files
 */
export async function findArchives(files) {
  const loose = files.filter(({ path }) => !path.includes("/"));
  if (loose.length > MOST_FILES) return;
  await Promise.all(
    loose.map(async (entry) => {
      try {
        entry.isArchive = (await isArchive(entry.file)) || undefined;
      } catch {
        entry.isArchive = undefined;
      }
    }),
  );
}

/** @param {File} file */
async function isArchive(file) {
  const head = await latin1(file.slice(0, HEAD_BYTES));
  if (ARCHIVE_MARKS.some(([at, mark]) => head.startsWith(mark, at)) || isTar(head)) return true;
  return PROGRAM.test(head) && BEHIND_PROGRAM.test(await latin1(file.slice(0, PROGRAM_BYTES)));
}

/** The bytes as characters of the same numbers. */
async function latin1(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) text += String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES));
  return text;
}

/** Whether a tar begins: by its mark, by its checksum, which counts itself as spaces, or with the zeros of an empty one. */
function isTar(head) {
  if (head.length < TAR.nBytes) return false;
  if (head.startsWith("ustar", TAR.mark) || !/[^\0]/.test(head)) return true;
  const [start, end] = TAR.checksum;
  const said = head.slice(start, end).split("\0")[0].trim();
  const counted = head.slice(0, start) + " ".repeat(end - start) + head.slice(end, TAR.nBytes);
  const sum = Array.from(counted).reduce((total, character) => total + character.charCodeAt(0), 0);
  return /^[0-7]+$/.test(said) && parseInt(said, 8) === sum;
}
