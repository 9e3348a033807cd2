/** Whether an upload that this browser has begun can be gone on with. */

import { callJson } from "../../shared/http.js";
import { ENDED } from "../../shared/poll.js";
import { forget, recall } from "./storage.js";
import { askWhatIsThere } from "../plan/arrived_files.js";

const GONE = new Set([404, 410]);

/**
 * @typedef {{uploadId: string, jobId: string|null, at: number, nArrived: number|null, isWhole: boolean}} Going
 *   jobId null: the pictures are there, but their job was stopped; they want a new one. nArrived: how many of the given files the
 *   server has; null when it did not say. isWhole: everything has arrived and is sorted by its job; the page that sent it was closed
 *   before it heard so.
 */

/**
 * @param {string} print From memory.js.
 * @param {import("../input/collect.js").Found[]} files Those that would be sent now; of an archive none.
 * @returns {Promise<Going|null>} null: begin anew.
 */
export async function findBegun(print, files) {
  const begun = recall(print);
  if (begun === null) return null;
  try {
    const url = `/api/v1/uploads/${begun.uploadId}`;
    const upload = await callJson("GET", url);
    const nArrived = files.length > 0 ? await countArrived(url, files, begun.at) : null;
    if (upload.state === "complete") return await findWhole(print, files, { ...begun, nArrived });
    // Another folder that happens to have the same name.
    if (nArrived === 0 && upload.n_images > 0) return null;
    const state = await findState(begun.jobId);
    return { ...begun, nArrived, jobId: ENDED.has(state) ? null : begun.jobId, isWhole: false };
  } catch (error) {
    if (GONE.has(error.status)) return gone(print, begun);
    if (!error.isPassing) throw error;
    // The server is away: whoever sends waits for it, and asks again what has arrived.
    return { ...begun, nArrived: null, isWhole: false };
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

/** An upload that takes no more: what was given is all in it, or something else and begun anew. */
async function findWhole(print, files, begun) {
  if (files.length > 0 && begun.nArrived < files.length) return gone(print, begun);
  const state = await findState(begun.jobId);
  const isStopped = ENDED.has(state) && state !== "done";
  return { ...begun, jobId: isStopped ? null : begun.jobId, isWhole: state !== null && !isStopped };
}

/** @returns {Promise<string|null>} Of a job; null when the page was closed before it was created. */
async function findState(jobId) {
  try {
    return (await callJson("GET", `/api/v1/jobs/${jobId}`)).state;
  } catch (error) {
    if (error.status === 410) return "cancelled";
    if (error.status === 404) return null;
    throw error;
  }
}
