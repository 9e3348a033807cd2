/** The drop zone of the first page: takes what is dropped, picked or chosen, and sends it from here. */

import { callJson } from "../../shared/http.js";
import { ENDED, watchJob } from "../../shared/poll.js";
import { percentOf } from "../../shared/words.js";
import { ArchiveSender } from "../send/archive_sender.js";
import { findBegun } from "../resume/resume.js";
import { forget, notePace, remember } from "../resume/storage.js";
import { newUuid } from "../../shared/uuid.js";
import { Offer } from "./offer.js";
import { Panel } from "./panel.js";
import { parcelsOf } from "../input/batches.js";
import { Sender } from "../send/folder_sender.js";
import { isOver } from "../send/sender.js";
import { rest } from "../../shared/slices.js";
import { Slots } from "../send/slots.js";
import { notesOn } from "./summary.js";
import { There } from "../plan/arrived_files.js";
import { hideUnfinished, showUnfinished } from "../resume/unfinished.js";
import { openZone } from "../input/drop_zone.js";

/** Three shards under way; browsers open six connections to a server, the others are for polls and pictures. */
const slots = new Slots(3);
const uploads = new Set();
const parent = document.querySelector("[data-uploads]");
const terms = JSON.parse(document.querySelector("#upload-offer").dataset.options);
const pageTitle = document.title;

openZone(ask);
showUnfinished(parent, (print) => twinOf(print) !== undefined);

addEventListener("beforeunload", (event) => {
  if (Array.from(uploads).some((upload) => !isOver(upload.sender.state.phase))) event.preventDefault();
});

/** Show what was given, and wait for the press that starts. With breaks: 20,000 files never cost one long task. */
async function ask(found) {
  if (found.files.length === 0 && found.unreadable.length === 0) return sayNothingFound();
  const parcels = parcelsOf(found);
  await rest();
  const notes = notesOn(parcels.flatMap(({ files }) => files), found.ignored, found.unreadable, terms);
  await rest();
  return new Offer({ parent, parcels, notes, terms, findGoing, onStart: startAll });
}

/** What has arrived whole has its job already: with nothing else to send, its page is where to go. */
function startAll(parcels, wishes) {
  const whole = parcels.filter(({ going }) => going?.isWhole);
  for (const { print, going } of whole) forget(print, going.jobId);
  for (const parcel of parcels) if (!parcel.going?.isWhole) start(parcel, wishes);
  if (whole.length > 0 && whole.length === parcels.length && uploads.size === 0) location.assign(`/jobs/${whole[0].going.jobId}`);
}

/** How far a parcel came earlier. A folder of the same name that is being sent here goes on only if it is the same. */
async function findGoing(parcel) {
  const twin = twinOf(parcel.print);
  if (twin && !parcel.archive) {
    const sent = new There(twin.sender.files.map(({ path, file }) => ({ path, n_bytes: file.size })));
    if ((await sent.divide(parcel.files)).arrived.length === 0) return null;
  }
  return findBegun(parcel.print, parcel.files);
}

function twinOf(print) {
  return Array.from(uploads).find((upload) => upload.print === print && !isOver(upload.sender.state.phase));
}

function sayNothingFound() {
  parent.querySelector("[data-nothing]")?.remove();
  const message = document.createElement("p");
  message.className = "notice";
  message.dataset.nothing = "";
  message.setAttribute("role", "status");
  message.textContent = "There is no file in it that could be sorted.";
  parent.prepend(message);
}

function start(parcel, wishes) {
  const { print, going } = parcel;
  const jobId = going?.jobId ?? newUuid();
  const uploadId = parcel.archive ? jobId : (going?.uploadId ?? newUuid());
  if (going) replace(twinOf(print));
  hideUnfinished(print);
  const upload = { print, jobId, jobPage: `/jobs/${jobId}`, job: null, unwatch: () => {} };
  const since = going?.at ?? Date.now();
  upload.sender = makeSender(parcel, { ...wishes, uploadId, jobId, since, slots, onChange: () => changed(upload) });
  remember(print, { uploadId, jobId, name: parcel.name, at: since });
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
      if (ENDED.has(job.state) && job.state !== "done") upload.sender.stop("This job was stopped, so nothing more is sent.");
    },
    onGone: () => upload.sender.stop("This job has been deleted, so nothing more is sent."),
  });
  uploads.add(upload);
  run(upload);
}

function makeSender({ archive, name, files, unreadable }, options) {
  if (archive) return new ArchiveSender({ ...options, file: archive });
  const sender = new Sender({ ...options, name, files });
  sender.state.skipped = unreadable;
  return sender;
}

/** The same folder was given again: what is under way ends here, and goes on with the folder as it is now. */
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
  // Everything is on the server: its page goes on from here. It stays when there is something to read, or more to send.
  if (phase === "sent" && skipped.length === 0 && isAllThereIs(upload)) location.assign(upload.jobPage);
}

/** Whether the others, if there are any, were stopped by whoever looks at this page. */
function isAllThereIs(upload) {
  return Array.from(uploads).every(({ sender: { state } }) => state === upload.sender.state || (state.phase === "stopped" && state.message === ""));
}

/** Of an upload that was gone on with, the share of files that the bytes sent now are of all bytes. */
function paceSince(from, { state }) {
  const nBytes = state.sentBytes - Math.max(from.bytes, state.arrivedBytes ?? 0);
  const nFiles = ((state.files ?? 0) * nBytes) / (state.totalBytes || 1);
  return { nBytes, nFiles, seconds: (performance.now() - from.at) / 1000 };
}

async function stop(upload) {
  upload.sender.stop();
  upload.unwatch();
  upload.job = null; // what it came to is no part of the title any more
  showTitle();
  forget(upload.print, upload.jobId);
  try {
    await callJson("POST", `${upload.sender.jobUrl}/cancel`);
  } catch {
    // It has ended, or was never opened: then there is nothing to stop.
  }
}

function changed(upload) {
  upload.panel?.changed();
  showTitle();
}

/** The tab's title says how far all of it is. */
function showTitle() {
  const open = Array.from(uploads).filter(({ sender, job }) => !isOver(sender.state.phase) || (job && !ENDED.has(job.state)));
  const sum = (of) => open.reduce((total, { sender }) => total + of(sender.state), 0);
  const title = open.length === 0 ? pageTitle : `${percentOf(sum((s) => s.sentBytes), sum((s) => s.totalBytes))} % sent · Pawsort`;
  if (document.title !== title) document.title = title;
}
