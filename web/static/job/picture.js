/** One picture, large: arrow keys go to its neighbours, which are fetched before they are asked for; a click enlarges. */

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
  const id = link?.pathname.split("/").at(-1);
  if (id) new Image().src = `/api/v1/images/${id}/thumbnail?size=1024`;
}

const zoom = document.querySelector("[data-zoom]");
zoom?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  zoom.classList.toggle("is-large");
  zoom.setAttribute("aria-pressed", String(zoom.classList.contains("is-large")));
});
