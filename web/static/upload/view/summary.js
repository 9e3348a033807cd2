/**
 * What somebody gave, in words, before any of it is sent: how much, what is left out and why, whether the server takes it, how long.
 *
 * @typedef {{imagesPerS: number, isMeasured: boolean}} Pace How fast a version sorts; guessed before it has done so here.
 * @typedef {{maxImageBytes: number, maxUploadBytes: number, roomBytes: number|null, inUse: number|null, paces: Object<string, Pace>}} Terms
 *   From the server. paces: by version.
 * @typedef {{title: string, paths: string[], isOptional: boolean}} Note isOptional: the person may leave these files out.
 */

import { bytes, count, duration, plural } from "../../shared/words.js";
import { endingOf, mayBePicture } from "../input/names.js";
import { sentSize } from "../plan/shards.js";

const ENDINGS_NAMED = 4;

/** @returns {{nFiles: number, nArchives: number, nBytes: number}} What would travel. */
export function amountOf(parcels, terms) {
  const amount = { nFiles: 0, nArchives: 0, nBytes: 0 };
  for (const { archive, files } of parcels) {
    amount.nFiles += files.length;
    amount.nArchives += archive ? 1 : 0;
    amount.nBytes += archive ? archive.size : files.reduce((sum, { file }) => sum + sentSize(file, terms), 0);
  }
  return amount;
}

/** What of an amount is still to travel, roughly: of what was begun before, some files have arrived. */
export function leftOf(amount, parcels) {
  const nArrived = parcels.reduce((sum, { going }) => sum + (going?.nArrived ?? 0), 0);
  const nFiles = Math.max(0, amount.nFiles - nArrived);
  // Beside an archive it is not known which bytes are whose: then all of them count.
  const share = amount.nArchives === 0 && amount.nFiles > 0 ? nFiles / amount.nFiles : 1;
  return { ...amount, nFiles, nBytes: amount.nBytes * share };
}

/** "20,000 files, 41 GB". */
export function sumWords({ nFiles, nArchives, nBytes }) {
  const things = [nFiles > 0 ? plural(nFiles, "file") : "", nArchives > 0 ? plural(nArchives, "archive") : ""].filter(Boolean);
  return `${things.join(" and ") || "Nothing"}, ${bytes(nBytes)}`;
}

/** True for a file that is sent although its name says that it is no picture. */
export function isOther({ path, file }, terms) {
  return !mayBePicture(path) && file.size <= terms.maxImageBytes;
}

/** @returns {Note[]} */
export function notesOn(files, ignored, unreadable, terms) {
  const others = files.filter((found) => isOther(found, terms));
  const large = files.filter(({ file }) => file.size > terms.maxImageBytes);
  const limit = bytes(terms.maxImageBytes);
  return [
    { paths: pathsOf(others), isOptional: true, title: `${are(others, "file")} no picture by name (${endings(others)}). Sent, and listed as failed.` },
    { paths: pathsOf(large), isOptional: false, title: `${are(large, "file")} larger than ${limit}. Not sent, but listed as failed.` },
    { paths: ignored, isOptional: false, title: `${are(ignored, "hidden or system file")} left out.` },
    {
      paths: unreadable.map(({ path, reason }) => `${path}: ${reason}`),
      isOptional: false,
      title: `${plural(unreadable.length, "file or folder").replace("or folders", "or folder")} cannot be read and stays out.`,
    },
  ].filter(({ paths }) => paths.length > 0);
}

/** What the server will not take, in a sentence; "" when there is nothing. */
export function refusalOf(amount, largest, terms) {
  if (amount.nFiles + amount.nArchives === 0) return "There is nothing left to send.";
  if (largest > terms.maxUploadBytes) return `This server takes ${bytes(terms.maxUploadBytes)} at a time. Send the folder in parts.`;
  if (terms.roomBytes !== null && amount.nBytes > terms.roomBytes) {
    return `This server has room for ${bytes(terms.roomBytes)} more. Delete jobs that are no longer needed, or send a part.`;
  }
  return "";
}

/** The server's limits in a sentence. */
export function limitWords({ maxImageBytes, maxUploadBytes, roomBytes }) {
  const room = roomBytes === null ? "" : ` and has room for ${bytes(roomBytes)} more`;
  return `This server takes pictures of up to ${bytes(maxImageBytes)}, ${bytes(maxUploadBytes)} at a time${room}.`;
}

/**
 * How long it will take, roughly: sending and sorting go on side by side, the slower one counts.
 *
 * @param {{nFiles: number, nArchives: number, nBytes: number}} amount
 * @param {import("../resume/storage.js").PaceOfSending|null} sending null: not known (yet).
 * @param {Pace|undefined} sorting
 * @param {"last time"|"trial"|"trying"} source Where the pace of sending is from.
 */
export function timeWords({ nFiles, nArchives, nBytes }, sending, sorting, source) {
  if (nFiles + nArchives === 0) return "Nothing is left to send.";
  const sortingS = sorting && nFiles > 0 ? nFiles / sorting.imagesPerS : 0;
  if (source === "trying") return "Trying how fast the connection is …";
  if (sending === null) {
    return sortingS > 0 ? `Sorting takes ${duration(sortingS)}; how long sending takes shows once it has begun.` : "How long it takes shows once it has begun.";
  }
  const sendingS = Math.max(nBytes / sending.bytesPerS, nFiles / sending.filesPerS);
  const isKnown = source === "last time" && sorting?.isMeasured;
  // How many pictures an archive has, nobody knows before.
  if (nArchives > 0 || sortingS === 0) return `Sending takes ${duration(sendingS)}; how long sorting takes shows once it has begun.`;
  return `Takes ${duration(Math.max(sortingS, sendingS))}, ${isKnown ? "at the pace of last time." : "by a first estimate; once it has begun, it is known better."}`;
}

function are(list, noun) {
  return `${plural(list.length, noun)} ${list.length === 1 ? "is" : "are"}`;
}

function pathsOf(files) {
  return files.map(({ path }) => path);
}

/** "8 mp4, 4 txt and others". */
function endings(files) {
  const numbers = new Map();
  for (const { path } of files) numbers.set(endingOf(path), (numbers.get(endingOf(path)) ?? 0) + 1);
  const most = Array.from(numbers).sort(([, a], [, b]) => b - a);
  const named = most.slice(0, ENDINGS_NAMED).map(([ending, n]) => `${count(n)} ${ending}`);
  return named.join(", ") + (most.length > ENDINGS_NAMED ? " and others" : "");
}
