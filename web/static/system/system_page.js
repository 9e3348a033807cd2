/** The System page: refreshes its figures every few seconds while it is visible. */

import { LiveParts } from "../shared/server/live.js";

const EVERY_MS = 5000;

const parts = new LiveParts(document.querySelector("main"));
const lost = document.querySelector('[data-field="lost"]');
let timer = 0;

function plan() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, EVERY_MS);
}

async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.redirected) return location.reload(); // to log in
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    parts.takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
  return plan();
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
plan();
