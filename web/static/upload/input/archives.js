/**
 * Which loose files are archives, by their first bytes: the same marks as in core/formats/archives/kinds.py. Kinds that the server does
 * not unpack are sent to it as well, because it refuses them by name.
 */

const HEAD_BYTES = 600;
const TAR_MARK = 257;
const MARKS = [
  [0, "PK\x03\x04"], [0, "PK\x05\x06"], [0, "PK\x06\x06"], [0, "PK00PK\x03\x04"], [0, "PK\x07\x08PK\x03\x04"],
  [0, "\x1f\x8b"], [0, "BZh"], [0, "\xfd7zXZ\0"], [0, "\x28\xb5\x2f\xfd"], [TAR_MARK, "ustar"],
  [0, "7z\xbc\xaf\x27\x1c"], [0, "Rar!\x1a\x07"], [0, "RE~^"], [0, "LZIP"], [0, "\x04\x22\x4d\x18"], [0, "MSCF"], [2, "-lh"],
  [0, "\x60\xea"], [0, "StuffIt"], [0, "SIT!"], [0, "xar!"], [0, "!<arch>\n"],
];
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
        entry.isArchive = isArchiveHead(new Uint8Array(await entry.file.slice(0, HEAD_BYTES).arrayBuffer())) || undefined;
      } catch {
        entry.isArchive = undefined;
      }
    }),
  );
}

function isArchiveHead(head) {
  const text = String.fromCharCode(...head);
  return MARKS.some(([at, mark]) => text.startsWith(mark, at));
}
