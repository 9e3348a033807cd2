/**
 * Makes tars in the page, from headers and the File objects themselves. Such a Blob copies nothing: the browser reads each file from
 * the disk while it is uploaded.
 *
 * POSIX ustar headers; a path that is longer than 100 bytes or not ASCII goes into a pax record before them (IEEE Std 1003.1, "pax").
 */

const BLOCK = 512;
const NAME_BYTES = 100;
/** The pax key for the size of a file that is too large to upload; core/formats/shards.py reads it. */
const SIZE_KEY = "PAWSORT.size";
const ENCODER = new TextEncoder();

/**
 * @typedef {{path: string, size: number, body: Blob|null, declared: number|null, modifiedAt: number}} TarEntry
 *   body null means an empty entry; declared is then the size of the file. modifiedAt: seconds since 1970.
 */

/**
 * A tar or, with isLast false, the beginning or middle of one: the pieces in order make a whole tar.
 *
 * @param {TarEntry[]} entries
 * @param {boolean} isLast Whether the end-of-archive blocks follow.
 * @returns {Blob}
 */
export function tarBlob(entries, isLast = true) {
  const parts = [];
  let blocks = [];
  for (const entry of entries) {
    blocks.push(...headersOf(entry));
    if (entry.body === null || entry.size === 0) continue;
    // Join small parts: each part of a Blob takes time.
    parts.push(joined(blocks), entry.body);
    blocks = [new Uint8Array(padding(entry.size))];
  }
  parts.push(joined(isLast ? [...blocks, new Uint8Array(2 * BLOCK)] : blocks));
  return new Blob(parts, { type: "application/x-tar" });
}

function headersOf(entry) {
  const path = ENCODER.encode(entry.path);
  const records = [];
  if (path.length > NAME_BYTES || path.length !== entry.path.length) records.push(paxRecord("path", path));
  if (entry.declared !== null) records.push(paxRecord(SIZE_KEY, ENCODER.encode(String(entry.declared))));
  const header = block(path, entry.body === null ? 0 : entry.size, "0", entry.modifiedAt);
  if (records.length === 0) return [header];
  const size = records.reduce((sum, record) => sum + record.length, 0);
  return [block(ENCODER.encode("PaxHeaders/entry"), size, "x"), ...records, new Uint8Array(padding(size)), header];
}

/** One line of a pax header, "27 path=...\n": the number is the length of the whole line, including itself. */
function paxRecord(key, value) {
  const rest = 1 + key.length + 1 + value.length + 1;
  let total = rest + String(rest).length;
  total = rest + String(total).length;
  const record = new Uint8Array(total);
  const { written } = ENCODER.encodeInto(`${total} ${key}=`, record);
  record.set(value, written);
  record[total - 1] = 0x0a;
  return record;
}

function block(path, size, type, modifiedAt = 0) {
  const header = new Uint8Array(BLOCK);
  header.set(path.subarray(0, NAME_BYTES), 0);
  write(header, 100, "0000644\x000000000\x000000000\0");
  write(header, 124, `${octal(size)}\0${octal(modifiedAt)}\0`);
  write(header, 148, "        ");
  write(header, 156, type);
  write(header, 257, "ustar\x0000");
  let checksum = 0;
  for (let i = 0; i < BLOCK; i += 1) checksum += header[i];
  write(header, 148, `${checksum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

function octal(number) {
  return number.toString(8).padStart(11, "0");
}

function write(header, offset, ascii) {
  for (let i = 0; i < ascii.length; i += 1) header[offset + i] = ascii.charCodeAt(i);
}

function joined(arrays) {
  const whole = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    whole.set(array, offset);
    offset += array.length;
  }
  return whole;
}

function padding(size) {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
