/** A new schedule starts with the user's time zone. */

const field = document.getElementById("time_zone");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const isKnown = [...document.querySelectorAll("#zones option")].some((option) => option.value === own);

if (isKnown && field.value === field.defaultValue) field.value = own;
