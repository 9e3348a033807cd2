// Before anything is shown, so that no page flashes in the other theme. Furo's own script switches it.
document.body.dataset.theme = localStorage.getItem("theme") || "auto";
