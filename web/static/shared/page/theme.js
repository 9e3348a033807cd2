/** The switch between the themes: as the system, light, dark. The server puts the choice into each page, so that none flashes. */

const YEAR_S = 365 * 24 * 3600;

export function switchTheme() {
  const form = document.querySelector("[data-theme-form]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const { theme } = form.elements;
    document.documentElement.dataset.theme = theme.value;
    const { cookie } = form.dataset;
    const secure = cookie.startsWith("__Host-") ? "; secure" : "";
    document.cookie = `${cookie}=${theme.value}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
    const order = form.dataset.themeForm.split(" ");
    const next = order[(order.indexOf(theme.value) + 1) % order.length];
    theme.setAttribute("aria-label", `Theme: ${theme.value}. Switch to ${next}`);
    theme.title = theme.getAttribute("aria-label");
    theme.value = next;
  });
}
