// The theme switch without a page load; the cookie tells the server for the next page.

const YEAR = 365 * 24 * 3600;

export function switchTheme() {
  for (const button of document.querySelectorAll("[data-preferences] [name=theme]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      choose(button.value);
    });
  }
}

function choose(theme) {
  const root = document.documentElement;
  if (theme === "auto") root.removeAttribute("data-theme");
  else root.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `darkroom_theme=${theme}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  for (const button of document.querySelectorAll("[data-preferences] [name=theme]")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}
