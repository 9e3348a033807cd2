/** The page of a training: keeps its numbers, curves and title up to date until it ends. */

import { keepLive } from "../shared/server/live.js";
import { ENDED } from "../shared/server/poll.js";

const root = document.querySelector("#main");
const job = root.querySelector("[data-job]");
const lost = root.querySelector("[data-lost]");

if (!ENDED.has(job.dataset.state)) {
  keepLive(root, job.dataset.page, {
    onPage(page) {
      lost.hidden = true;
      document.title = page.title;
    },
    onLost: () => (lost.hidden = false),
    onGone: () => location.reload(),
  });
}
