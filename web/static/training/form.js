/** The form that starts a training: its hints follow the chosen network. */

for (const choice of document.querySelectorAll("[data-network]")) {
  choice.addEventListener("change", () => choice.checked && showFor(choice.value));
  // Coming back with the browser's button may find another one chosen than the server had marked.
  addEventListener("pageshow", () => choice.checked && showFor(choice.value));
}

function showFor(network) {
  for (const hint of document.querySelectorAll("[data-for]")) {
    hint.hidden = hint.dataset.for !== network;
    const input = hint.closest(".field")?.querySelector("input");
    if (input && !hint.hidden && hint.dataset.placeholder !== undefined) input.placeholder = hint.dataset.placeholder;
  }
}
