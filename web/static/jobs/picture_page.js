/**
 * The page of one picture: keys press the buttons of its labels, and arrow keys go to its neighbours, which are loaded in advance;
 * a click enlarges it; the heat map can be shown over it, and then also over the next pictures.
 */

import { listenToKeys } from "../shared/page/keys.js";
import { isHeatOn, rememberHeat } from "../viewer/heat.js";

const KEYS = { ArrowLeft: "prev", ArrowRight: "next" };

addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  const link = document.querySelector(`a[rel="${KEYS[event.key]}"]`);
  if (link === null) return;
  event.preventDefault();
  link.click();
});

for (const rel of Object.values(KEYS)) {
  const link = document.querySelector(`a[rel="${rel}"]`);
  if (link?.dataset.ahead) new Image().src = link.dataset.ahead;
}

const zoom = document.querySelector("[data-zoom]");
zoom?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  zoom.classList.toggle("is-large");
  zoom.querySelector("img").src = zoom.href; // sharper
  zoom.setAttribute("aria-pressed", String(zoom.classList.contains("is-large")));
});

const labels = Array.from(document.querySelectorAll("[data-label-form] [aria-keyshortcuts]"));
listenToKeys(new Map(labels.map((one) => [one.getAttribute("aria-keyshortcuts"), () => one.click()])));

const button = document.querySelector("[data-heat-button]");
if (button !== null) {
  button.hidden = false;
  button.addEventListener("click", () => showHeat(!isHeatOn()));
  listenToKeys(new Map([["h", () => button.click()]]));
  showHeat(isHeatOn());
}

function showHeat(isOn) {
  button.setAttribute("aria-pressed", String(isOn));
  document.querySelector("[data-heat]").toggleAttribute("hidden", !isOn);
  rememberHeat(isOn);
}
