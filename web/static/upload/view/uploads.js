/** The uploads of a page: shows a summary of files before they are uploaded, and a panel for each upload. */

import { callJson } from "../../shared/server/http.js";
import { ENDED, watchJob } from "../../shared/server/poll.js";
import { percentOf } from "../../shared/text/words.js";
import { ArchiveSender } from "../send/archive_sender.js";
import { findEarlier } from "../resume/resume.js";
import { forget, notePace, remember } from "../resume/storage.js";
import { newUuid } from "../../shared/server/uuid.js";
import { Offer } from "./offer.js";
import { Panel } from "./panel.js";
import { findArchives } from "../input/archives.js";
import { withIgnored } from "../input/collect.js";
import { batchesOf } from "../input/batches.js";
import { FolderSender } from "../send/folder_sender.js";
import { isOver } from "../send/sender.js";
import { rest } from "../plan/slices.js";
import { Slots } from "../send/slots.js";
import { ignoredWords, notesOn } from "./summary.js";
import { ArrivedFiles } from "../plan/arrived_files.js";
import { hideUnfinished } from "../resume/unfinished.js";

/** Three shards at a time: browsers open six connections to a server, and the others are for polls and pictures. */
const slots = new Slots(3);
const uploads = new Set();
const parent = document.querySelector("[data-uploads]");
const terms = JSON.parse(document.querySelector("#upload-offer").dataset.options);
const pageTitle = document.title;

addEventListener("beforeunload", (event) => {
  if (Array.from(uploads).some((upload) => !isOver(upload.sender.state.phase))) event.preventDefault();
});

/** Show a summary, and wait for the start. With breaks, so that 20,000 files never cause a long task. */
export async function ask(found, everything = false) {
  const chosen = everything ? withIgnored(found) : found;
  if (chosen.files.length === 0 && chosen.unreadable.length === 0) return sayNothingFound(found);
  await findArchives(chosen.files);
  const batches = batchesOf(chosen);
  await rest();
  const notes = notesOn(batches.flatMap(({ files }) => files), { ignored: found.ignored, everything }, found.unreadable, terms);
  await rest();
  const onEverything = (isOn) => {
    offer.element.remove();
    ask(found, isOn);
  };
  const offer = new Offer({ parent, batches, notes, terms, findEarlierUpload, onStart: startAll, onEverything });
  return offer;
}

/** A complete upload already has its job: if there is nothing else to upload, open its page. */
function startAll(batches, wishes) {
  const whole = batches.filter(({ earlier }) => earlier?.isWhole);
  for (const { print, earlier } of whole) forget(print, earlier.jobId);
  for (const batch of batches) if (!batch.earlier?.isWhole) start(batch, wishes);
  if (whole.length > 0 && whole.length === batches.length && uploads.size === 0) location.assign(`/jobs/${whole[0].earlier.jobId}`);
}

/** The earlier upload of a batch. A folder with the same name that is being uploaded here is resumed only if it has the same files. */
async function findEarlierUpload(batch) {
  const twin = twinOf(batch.print);
  if (twin && !batch.archive) {
    const sent = new ArrivedFiles(twin.sender.files.map(({ path, file }) => ({ path, n_bytes: file.size })));
    if ((await sent.divide(batch.files)).arrived.length === 0) return null;
  }
  return findEarlier(batch.print, batch.files);
}

/** Whether this page is uploading it. */
export function isUnderWay(print) {
  return twinOf(print) !== undefined;
}

function twinOf(print) {
  return Array.from(uploads).find((upload) => upload.print === print && !isOver(upload.sender.state.phase));
}

function sayNothingFound(found) {
  parent.querySelector("[data-nothing]")?.remove();
  const message = document.createElement("p");
  message.className = "notice";
  message.dataset.nothing = "";
  message.setAttribute("role", "status");
  message.textContent = "It contains no files to sort.";
  if (found.ignored.length > 0) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Send everything" });
    button.addEventListener("click", () => {
      message.remove();
      ask(found, true);
    });
    message.append(` ${ignoredWords(found.ignored)} left out. `, button);
  }
  parent.prepend(message);
}

function start(batch, wishes) {
  const { print, earlier } = batch;
  const jobId = earlier?.jobId ?? newUuid();
  const uploadId = batch.archive ? jobId : (earlier?.uploadId ?? newUuid());
  if (earlier) replace(twinOf(print));
  hideUnfinished(print);
  document.querySelector("[data-empty]")?.remove();
  const upload = { print, jobId, jobPage: `/jobs/${jobId}`, job: null, unwatch: () => {} };
  const since = earlier?.at ?? Date.now();
  upload.sender = makeSender(batch, { ...wishes, uploadId, jobId, since, slots, onChange: () => changed(upload) });
  remember(print, { uploadId, jobId, name: batch.name, at: since, nFiles: batch.archive ? null : batch.files.length });
  upload.panel = new Panel({
    parent,
    sender: upload.sender,
    jobPage: upload.jobPage,
    onStop: () => stop(upload),
    onResume: () => run(upload),
  });
  upload.unwatch = watchJob(upload.sender.jobUrl, {
    isPatient: true,
    onJob(job) {
      upload.job = job;
      upload.panel.showJob(job);
      showTitle();
      if (ENDED.has(job.state) && job.state !== "done") upload.sender.stop("This job was stopped, so the upload was cancelled.");
    },
    onGone: () => upload.sender.stop("This job was deleted, so the upload was cancelled."),
  });
  uploads.add(upload);
  run(upload);
}

function makeSender({ archive, name, files, unreadable }, options) {
  if (archive) return new ArchiveSender({ ...options, file: archive });
  const sender = new FolderSender({ ...options, name, files });
  sender.state.skipped = unreadable;
  return sender;
}

/** The same folder was dropped again: end the current upload, which is resumed with the folder as it is now. */
function replace(upload) {
  if (!upload) return;
  upload.sender.pause();
  upload.unwatch();
  upload.panel.element.remove();
  uploads.delete(upload);
}

async function run(upload) {
  const from = { at: performance.now(), bytes: upload.sender.state.sentBytes };
  await upload.sender.run();
  const { phase, skipped } = upload.sender.state;
  showTitle();
  if (isOver(phase)) forget(upload.print, upload.jobId);
  if (phase === "sent") notePace(paceSince(from, upload.sender));
  // Everything is on the server: open the page of the job, unless there are errors to read or other uploads.
  if (phase === "sent" && skipped.length === 0 && isAllThereIs(upload)) location.assign(upload.jobPage);
}

/** Whether all other uploads were cancelled by the user. */
function isAllThereIs(upload) {
  return Array.from(uploads).every(({ sender: { state } }) => state === upload.sender.state || (state.phase === "stopped" && state.message === ""));
}

/** The speed of a run; for a resumed upload, files are counted in proportion to bytes. */
function paceSince(from, { state }) {
  const nBytes = state.sentBytes - Math.max(from.bytes, state.arrivedBytes ?? 0);
  const nFiles = ((state.files ?? 0) * nBytes) / (state.totalBytes || 1);
  return { nBytes, nFiles, seconds: (performance.now() - from.at) / 1000 };
}

async function stop(upload) {
  upload.sender.stop();
  upload.unwatch();
  upload.job = null; // it no longer counts in the title
  showTitle();
  forget(upload.print, upload.jobId);
  try {
    await callJson("POST", `${upload.sender.jobUrl}/cancel`);
  } catch {
    // It has ended, or was never created: there is nothing to stop.
  }
}

function changed(upload) {
  upload.panel?.changed();
  showTitle();
}

/** Show the progress of all uploads in the title. */
function showTitle() {
  const open = Array.from(uploads).filter(({ sender, job }) => !isOver(sender.state.phase) || (job && !ENDED.has(job.state)));
  const sum = (of) => open.reduce((total, { sender }) => total + of(sender.state), 0);
  const title = open.length === 0 ? pageTitle : `${percentOf(sum((s) => s.sentBytes), sum((s) => s.totalBytes))} % uploaded · Pawsort`;
  if (document.title !== title) document.title = title;
}
