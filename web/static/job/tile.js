/** One picture of the grid; the server's twin is the macro `tile` in templates/_parts.html. Names are text, never markup. */

import { label, percent } from "../words.js";

/**
 * @param {object} result As the API gives it.
 * @param {HTMLTemplateElement} template
 * @returns {Element}
 */
export function makeTile(result, template) {
  const tile = template.content.firstElementChild.cloneNode(true);
  tile.dataset.image = String(result.image_id);
  const [link, broken] = [tile.querySelector("a"), tile.querySelector("[data-broken]")];
  if (result.error_code === null) {
    const address = `/api/v1/images/${result.image_id}/thumbnail`;
    link.href = `${address}?size=1024`;
    const image = link.querySelector("img");
    image.alt = `Open ${result.path}`;
    image.src = `${address}?size=256`;
    broken.remove();
  } else {
    link.remove();
  }
  fill(tile, result);
  return tile;
}

/** Write a result's label into a tile that is there already. */
export function fill(tile, result) {
  const shown = result.label ?? "failed";
  tile.dataset.label = shown;
  const [name, confidence] = tile.querySelectorAll(".tile__label > span");
  name.textContent = label(shown);
  confidence.textContent = result.confidence === null ? "" : percent(result.confidence);
  const end = result.path.lastIndexOf("/");
  const file = tile.querySelector(".tile__name");
  file.textContent = result.path.slice(end + 1);
  file.title = result.path;
  tile.querySelector(".tile__path").textContent = result.error ?? result.path.slice(0, Math.max(0, end));
}
