/** One tile of the grid. The macro `tile` in templates/shared/_parts.html makes the same. Names are text, never markup. */

import { asText, showName } from "../../shared/text/names.js";
import { probablyNeither } from "../../shared/text/neither.js";
import { label, percent } from "../../shared/text/words.js";

/**
 * @param {object} result From the API.
 * @param {HTMLTemplateElement} template
 * @param {Element} [spare] An unused tile, to be reused.
 * @returns {Element}
 */
export function makeTile(result, template, spare) {
  const isBroken = result.error_code !== null;
  const isFit = spare !== undefined && (spare.querySelector("img") === null) === isBroken;
  const tile = isFit ? spare : template.content.firstElementChild.cloneNode(true);
  tile.dataset.image = String(result.image_id);
  if (!isFit) {
    tile.querySelector(isBroken ? ".tile__picture:not([data-broken])" : "[data-broken]").remove();
    if (isBroken) tile.querySelector(".tile__check").remove(); // it can't be labelled
  }
  const link = tile.querySelector("a");
  const image = link.querySelector("img");
  if (image !== null) {
    image.src = `/api/v1/images/${result.image_id}/thumbnail?size=256`;
    image.alt = `Open ${asText(result.path)}`;
  } else {
    link.setAttribute("aria-label", `Open ${asText(result.path)}`);
  }
  fill(tile, result);
  return tile;
}

/** The address of a picture's own page, with the filter that determines its neighbours. */
export function pageOf(result) {
  return `/jobs/${document.querySelector("[data-job]").dataset.job}/images/${result.image_id}${viewQuery()}`;
}

/** Write a result into a tile of its picture: its label, and its address under the filter of the page. */
export function fill(tile, result) {
  tile.querySelector("a").href = pageOf(result);
  const shown = result.human_label ?? result.label ?? "failed";
  tile.dataset.label = shown;
  const [name, confidence] = tile.querySelectorAll(".tile__label > span");
  const neither = result.human_label ? null : probablyNeither(result);
  name.textContent = neither === null ? label(shown) : "Neither?";
  name.title = neither === null ? "" : "Probably neither";
  confidence.textContent = result.human_label ? "by people" : result.confidence === null ? "" : percent(neither ?? result.confidence);
  const end = result.path.lastIndexOf("/");
  const file = tile.querySelector(".tile__name");
  showName(file, result.path.slice(end + 1));
  file.title = asText(result.path);
  showName(tile.querySelector(".tile__path"), result.error ?? saidBeside(result) ?? warningOf(result) ?? result.path.slice(0, Math.max(0, end)));
}

/** The model's label, if a person's label differs. */
function saidBeside(result) {
  if (!result.human_label || result.human_label === result.label) return null;
  const neither = probablyNeither(result);
  return `the model: ${neither === null ? result.label : "probably neither"}, ${percent(neither ?? result.confidence)}`;
}

function warningOf(result) {
  return result.warning ? "only partly readable" : null;
}

function viewQuery() {
  const query = new URLSearchParams(location.search);
  query.delete("cursor");
  return query.size > 0 ? `?${query}` : "";
}
