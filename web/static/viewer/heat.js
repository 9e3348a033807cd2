/** The heat map of a picture, taken from the picture's own page, where the server has drawn it; and whether it is shown. */

const STORED = "pawsort-heat";
let isOn = read() === "on";

/**
 * @param {string} page The address of the picture's page.
 * @returns {Promise<{cover: Element|null, sentence: string}>}
 */
export async function heatOf(page) {
  const answer = await fetch(page);
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const cover = found.querySelector("[data-heat]");
  cover?.removeAttribute("hidden");
  const sentence = found.querySelector("[data-evidence]")?.textContent.trim();
  return { cover, sentence: sentence ?? "The model that sorted this picture provides no heat maps." };
}

export function isHeatOn() {
  return isOn;
}

/** Show it over the next pictures as well. */
export function rememberHeat(isShown) {
  isOn = isShown;
  try {
    sessionStorage.setItem(STORED, isOn ? "on" : "off");
  } catch {
    // Storage is not available: the next page starts without it.
  }
}

function read() {
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}
