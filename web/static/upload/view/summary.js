/**
 * The summary of an upload in words: its size, skipped files with reasons, whether the server accepts it, and how long it takes.
 *
 * @typedef {{imagesPerS: number, isMeasured: boolean}} Pace The speed of a version; estimated before its first job here.
 * @typedef {{maxImageBytes: number, maxUploadBytes: number, roomBytes: number|null, bytesLeft: number|null, picturesLeft: number|null,
 *   inUse: number|null, paces: Object<string, Pace>}} Terms
 *   From the server. bytesLeft, picturesLeft: of this person's quota; null without one. paces: by version.
 * @typedef {{title: string, paths: string[], choice?: "skip"|"send", isChosen?: boolean}} Note choice: what the user may do with these files.
 */

import { bytes, count, duration, limit, plural } from "../../shared/text/words.js";
import { kindWords } from "../input/kinds.js";
import { mayBePicture } from "../input/names.js";
import { sentSize } from "../plan/shards.js";

/** @returns {{nFiles: number, nArchives: number, nBytes: number}} What would be uploaded. */
export function amountOf(batches, terms) {
  const amount = { nFiles: 0, nArchives: 0, nBytes: 0 };
  for (const { archive, files } of batches) {
    amount.nFiles += files.length;
    amount.nArchives += archive ? 1 : 0;
    amount.nBytes += archive ? archive.size : files.reduce((sum, { file }) => sum + sentSize(file, terms), 0);
  }
  return amount;
}

/** The approximate amount still to upload: some files of an earlier upload have arrived. */
export function leftOf(amount, batches) {
  const nArrived = batches.reduce((sum, { earlier }) => sum + (earlier?.nArrived ?? 0), 0);
  const nFiles = Math.max(0, amount.nFiles - nArrived);
  // With an archive, the bytes of single files are unknown: then all bytes count.
  const share = amount.nArchives === 0 && amount.nFiles > 0 ? nFiles / amount.nFiles : 1;
  return { ...amount, nFiles, nBytes: amount.nBytes * share };
}

/** "20,000 files, 41 GB". */
export function sumWords({ nFiles, nArchives, nBytes }) {
  const things = [nFiles > 0 ? plural(nFiles, "file") : "", nArchives > 0 ? plural(nArchives, "archive") : ""].filter(Boolean);
  return `${things.join(" and ") || "Nothing"}, ${bytes(nBytes)}`;
}

/** Whether a file is uploaded although its name has an ending of another kind of file. */
export function isOther({ path, file }, terms) {
  return !mayBePicture(path) && file.size <= terms.maxImageBytes;
}

/** @returns {Note[]} */
export function notesOn(files, { ignored, everything }, unreadable, terms) {
  const others = files.filter((found) => isOther(found, terms));
  const large = files.filter(({ file }) => file.size > terms.maxImageBytes);
  const most = limit(terms.maxImageBytes);
  return [
    { paths: pathsOf(others), choice: "skip", title: `${plural(others.length, "file")} ${others.length === 1 ? "doesn’t look like a picture" : "don’t look like pictures"} (${kindWords(pathsOf(others))}). ${others.length === 1 ? "It" : "They"} will be uploaded and listed as failed.` },
    { paths: pathsOf(large), title: `${are(large, "file")} larger than ${most}, so ${large.length === 1 ? "it is" : "they are"} not uploaded, but listed as failed.` },
    { paths: pathsOf(ignored), choice: "send", isChosen: everything, title: `${ignoredWords(ignored)} ${everything ? "sent as well" : "left out"}.` },
    {
      paths: unreadable.map(({ path, reason }) => `${path}: ${reason}`),
      title: `${plural(unreadable.length, "file or folder").replace("or folders", "or folder")} can’t be read and will be skipped.`,
    },
  ].filter(({ paths }) => paths.length > 0);
}

/** "3 files (2 system files, 1 older version) are". */
export function ignoredWords(ignored) {
  const numbers = new Map();
  for (const { kind } of ignored) numbers.set(kind, (numbers.get(kind) ?? 0) + 1);
  const kinds = Array.from(numbers, ([{ one, many }, n]) => (n === 1 ? `1 ${one.slice(one.indexOf(" ") + 1)}` : `${count(n)} ${many}`));
  return `${plural(ignored.length, "file")} (${kinds.join(", ")}) ${ignored.length === 1 ? "is" : "are"}`;
}

/** Why the server would refuse the upload; "" if it would not. */
export function refusalOf(amount, largest, terms) {
  if (amount.nFiles + amount.nArchives === 0) return "There is nothing to upload.";
  if (largest > terms.maxUploadBytes) return `This server accepts up to ${limit(terms.maxUploadBytes)} per upload. Upload the folder in parts.`;
  if (terms.roomBytes !== null && amount.nBytes > terms.roomBytes) {
    if (terms.roomBytes === 0) return "The server’s disk is full. Delete old jobs, or ask your administrator.";
    return `This server has ${bytes(terms.roomBytes)} of free space. Delete old jobs, or upload less.`;
  }
  const isBeyondQuota = amount.nBytes > (terms.bytesLeft ?? Infinity) || amount.nFiles > (terms.picturesLeft ?? Infinity);
  return isBeyondQuota ? `You have ${quotaLeft(terms)} left of your quota. Delete old jobs, or upload less.` : "";
}

/** "1.2 GB and 300 pictures"; "" without a quota. */
function quotaLeft({ bytesLeft, picturesLeft }) {
  const parts = [];
  if ((bytesLeft ?? null) !== null) parts.push(bytes(bytesLeft));
  if ((picturesLeft ?? null) !== null) parts.push(plural(picturesLeft, "picture"));
  return parts.join(" and ");
}

/** The limits of the server, and what is left of the quota, in sentences. */
export function limitWords(terms) {
  const { maxImageBytes, maxUploadBytes, roomBytes } = terms;
  const room = roomBytes === null ? "" : ` and has ${bytes(roomBytes)} of free space`;
  const left = quotaLeft(terms);
  const quota = left ? ` You have ${left} left of your quota.` : "";
  return `This server accepts pictures of up to ${limit(maxImageBytes)}, up to ${limit(maxUploadBytes)} per upload${room}.${quota}`;
}

/**
 * The approximate duration: upload and sorting run at the same time, so the slower one counts.
 *
 * @param {{nFiles: number, nArchives: number, nBytes: number}} amount
 * @param {import("../resume/storage.js").UploadSpeed|null} sending null: unknown (yet).
 * @param {Pace|undefined} sorting
 * @param {"last time"|"trial"|"trying"} source Where the speed of the upload is from.
 */
export function timeWords({ nFiles, nArchives, nBytes }, sending, sorting, source) {
  if (nFiles + nArchives === 0) return "Nothing to upload.";
  const sortingS = sorting && nFiles > 0 ? nFiles / sorting.imagesPerS : 0;
  if (source === "trying") return "Measuring the connection …";
  if (sending === null) {
    return sortingS > 0 ? `Sorting takes ${duration(sortingS)}. The upload time is shown after the start.` : "The time is shown after the start.";
  }
  const sendingS = Math.max(nBytes / sending.bytesPerS, nFiles / sending.filesPerS);
  const isKnown = source === "last time" && sorting?.isMeasured;
  // The number of pictures in an archive is unknown.
  if (nArchives > 0 || sortingS === 0) return `Uploading takes ${duration(sendingS)}. The sorting time is shown after the start.`;
  const time = duration(Math.max(sortingS, sendingS));
  return `${time.charAt(0).toUpperCase()}${time.slice(1)} (${isKnown ? "at the speed of last time" : "rough estimate"}).`;
}

function are(list, noun) {
  return `${plural(list.length, noun)} ${list.length === 1 ? "is" : "are"}`;
}

function pathsOf(files) {
  return files.map(({ path }) => path);
}
