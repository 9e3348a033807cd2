/** The form that starts a training: its hints follow the selected network. */

for (const choice of document.querySelectorAll("[data-network]")) {
  choice.addEventListener("change", () => choice.checked && showFor(choice.value));
  // The browser's Back button may restore another selection than the server's.
  addEventListener("pageshow", () => choice.checked && showFor(choice.value));
}

function showFor(network) {
  for (const hint of document.querySelectorAll("[data-for]")) {
    hint.hidden = hint.dataset.for !== network;
    const input = hint.closest(".field")?.querySelector("input");
    if (input && !hint.hidden && hint.dataset.placeholder !== undefined) input.placeholder = hint.dataset.placeholder;
  }
}
