/** Shows unfinished uploads of this browser when the page opens, with the possible actions. */

import { removeAndHandOn } from "../../shared/page/focus.js";
import { callJson } from "../../shared/server/http.js";
import { localTimes, plural } from "../../shared/text/words.js";
import { forget, recallAll } from "./storage.js";

const MOST_SHOWN = 5;
const GONE = new Set([404, 410]);

/**
 * @param {Element} parent
 * @param {(print: string) => boolean} isUnderWay Whether this page is already uploading it.
 */
export async function showUnfinished(parent, isUnderWay) {
  for (const [print, entry] of recallAll().slice(0, MOST_SHOWN)) {
    const nFiles = await countArrived(print, entry);
    if (nFiles !== null && !isUnderWay(print)) parent.append(notice(print, entry, nFiles));
  }
}

/** Remove the notice of an upload that is resumed or complete. */
export function hideUnfinished(print) {
  for (const element of document.querySelectorAll("[data-unfinished]")) if (element.dataset.unfinished === print) element.remove();
}

/** The number of files on the server; null if the upload is complete, or the server is not responding. */
async function countArrived(print, { uploadId, jobId, nFiles }) {
  try {
    const upload = await callJson("GET", `/api/v1/uploads/${uploadId}`);
    // Do not forget a complete upload: dropped again, the folder leads to its job.
    if (upload.state !== "receiving") return null;
    if (upload.n_images !== nFiles) return upload.n_images;
    // Everything had arrived, and the page was closed before it could say so.
    await complete(uploadId);
  } catch (error) {
    if (GONE.has(error.status)) forget(print, jobId);
  }
  return null;
}

function notice(print, entry, nFiles) {
  const element = document.querySelector("#upload-unfinished").content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  element.dataset.unfinished = print;
  part("name").textContent = entry.name;
  part("at").dateTime = new Date(entry.at).toISOString();
  localTimes(element);
  part("arrived").textContent = `${plural(nFiles, "file")} arrived.`;
  part("finish").addEventListener("click", () => finish(element, print, entry));
  part("forget").addEventListener("click", () => {
    forget(print, entry.jobId);
    removeAndHandOn(element, "[data-unfinished] button", "[data-pick]");
  });
  return element;
}

function complete(uploadId) {
  return callJson("POST", `/api/v1/uploads/${uploadId}/complete`, { partial: true });
}

async function finish(element, print, { uploadId, jobId }) {
  try {
    await complete(uploadId);
    forget(print, jobId);
    location.assign(`/jobs/${jobId}`);
  } catch (error) {
    element.querySelector('[data-part="message"]').textContent = error.message;
  }
}
