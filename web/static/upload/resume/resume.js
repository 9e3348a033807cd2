/** Finds out whether an earlier upload of this browser can be resumed. */

import { callJson } from "../../shared/server/http.js";
import { ENDED } from "../../shared/server/poll.js";
import { forget, recall } from "./storage.js";
import { loadArrivedFiles } from "../plan/arrived_files.js";

const GONE = new Set([404, 410]);

/**
 * @typedef {{uploadId: string, jobId: string|null, at: number, nArrived: number|null, isWhole: boolean}} EarlierUpload
 *   jobId null: the pictures are on the server, but their job was stopped; a new job is needed. nArrived: how many of the files the
 *   server has; null if unknown. isWhole: everything has arrived and has its job, but the page was closed before that was known.
 */

/**
 * @param {string} print From storage.js.
 * @param {import("../input/collect.js").Found[]} files The files to upload; none for an archive.
 * @returns {Promise<EarlierUpload|null>} null: start a new upload.
 */
export async function findEarlier(print, files) {
  const entry = recall(print);
  if (entry === null) return null;
  try {
    const url = `/api/v1/uploads/${entry.uploadId}`;
    const upload = await callJson("GET", url);
    const nArrived = files.length > 0 ? await countArrived(url, files, entry.at) : null;
    if (upload.state === "complete") return await findWhole(print, files, { ...entry, nArrived });
    // Another folder with the same name.
    if (nArrived === 0 && upload.n_images > 0) return null;
    const state = await findState(entry.jobId);
    return { ...entry, nArrived, jobId: ENDED.has(state) ? null : entry.jobId, isWhole: false };
  } catch (error) {
    if (GONE.has(error.status)) return gone(print, entry);
    if (!error.isPassing) throw error;
    // The server is not responding: the sender waits for it and then checks again what has arrived.
    return { ...entry, nArrived: null, isWhole: false };
  }
}

async function countArrived(url, files, since) {
  const arrived = await loadArrivedFiles(url);
  return (await arrived.divide(files, since)).arrived.length;
}

function gone(print, { jobId }) {
  forget(print, jobId);
  return null;
}

/** A complete upload: either it contains all files, or a new upload is started. */
async function findWhole(print, files, entry) {
  if (files.length > 0 && entry.nArrived < files.length) return gone(print, entry);
  const state = await findState(entry.jobId);
  const isStopped = ENDED.has(state) && state !== "done";
  return { ...entry, jobId: isStopped ? null : entry.jobId, isWhole: state !== null && !isStopped };
}

/** @returns {Promise<string|null>} The state of a job; null if it was never created. */
async function findState(jobId) {
  try {
    return (await callJson("GET", `/api/v1/jobs/${jobId}`)).state;
  } catch (error) {
    if (error.status === 410) return "cancelled";
    if (error.status === 404) return null;
    throw error;
  }
}
