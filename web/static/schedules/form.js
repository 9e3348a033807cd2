/** The form of a schedule: a field next to a choice selects it, and a new schedule starts with the user's time zone. */

for (const choice of document.querySelectorAll(".when .choice")) {
  const radio = choice.querySelector("input[type=radio]");
  for (const field of choice.querySelectorAll("select, input[type=text]")) {
    field.addEventListener("input", () => (radio.checked = true));
  }
}

if (document.querySelector("form[data-new]") !== null) useOwnZone();

function useOwnZone() {
  const field = document.getElementById("time_zone");
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isKnown = [...document.querySelectorAll("#zones option")].some((option) => option.value === own);
  if (isKnown && field.value === field.defaultValue) field.value = own;
}
