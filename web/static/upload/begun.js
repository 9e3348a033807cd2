/** Whether an upload that this browser has begun can be gone on with. */

import { callJson } from "../http.js";
import { ENDED } from "../poll.js";
import { forget, recall } from "./memory.js";
import { askWhatIsThere } from "./there.js";

const GONE = new Set([404, 410]);

/**
 * @typedef {{uploadId: string, jobId: string|null, at: number, nArrived: number|null}} Going
 *   jobId null: the pictures are there, but their job was stopped; they want a new one. nArrived: how many of the given files the
 *   server has; null when it did not say.
 */

/**
 * @param {string} print From memory.js.
 * @param {import("./collect.js").Found[]} files Those that would be sent now; of an archive none.
 * @returns {Promise<Going|null>} null: begin anew.
 */
export async function findBegun(print, files) {
  const begun = recall(print);
  if (begun === null) return null;
  try {
    const url = `/api/v1/uploads/${begun.uploadId}`;
    const upload = await callJson("GET", url);
    if (upload.state === "complete") return gone(print, begun);
    const nArrived = files.length > 0 ? await countArrived(url, files, begun.at) : null;
    // Another folder that happens to have the same name.
    if (nArrived === 0 && upload.n_images > 0) return null;
    return { ...begun, nArrived, jobId: (await isOver(begun.jobId)) ? null : begun.jobId };
  } catch (error) {
    if (GONE.has(error.status)) return gone(print, begun);
    if (!error.isPassing) throw error;
    // The server is away: whoever sends waits for it, and asks again what has arrived.
    return { ...begun, nArrived: null };
  }
}

async function countArrived(url, files, since) {
  const there = await askWhatIsThere(url);
  return (await there.divide(files, since)).arrived.length;
}

function gone(print, { jobId }) {
  forget(print, jobId);
  return null;
}

async function isOver(jobId) {
  try {
    return ENDED.has((await callJson("GET", `/api/v1/jobs/${jobId}`)).state);
  } catch (error) {
    if (error.status === 410) return true;
    if (error.status === 404) return false; // the page was closed before the job was created
    throw error;
  }
}
