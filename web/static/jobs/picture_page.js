/**
 * The page of one picture: arrow keys go to its neighbours, which are loaded in advance; a click enlarges it; the heat map can be
 * shown over it, and then also over the next pictures.
 */

import { listenToKeys } from "../shared/keys.js";

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
  zoom.setAttribute("aria-pressed", String(zoom.classList.contains("is-large")));
});

const HEAT = "pawsort-heat";
const button = document.querySelector("[data-heat-button]");
if (button !== null) {
  button.hidden = false;
  button.addEventListener("click", () => showHeat(button.getAttribute("aria-pressed") !== "true"));
  listenToKeys(new Map([["h", () => button.click()]]));
  showHeat(recall() === "on");
}

function showHeat(isOn) {
  button.setAttribute("aria-pressed", String(isOn));
  document.querySelector("[data-heat]").toggleAttribute("hidden", !isOn);
  try {
    sessionStorage.setItem(HEAT, isOn ? "on" : "off");
  } catch {
    // Storage is not available: the next picture starts without it.
  }
}

function recall() {
  try {
    return sessionStorage.getItem(HEAT);
  } catch {
    return null;
  }
}
