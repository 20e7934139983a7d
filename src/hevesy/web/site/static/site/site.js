// What every page does beyond links and forms; all of it also works, in a plainer way, without this.

const YEAR = 365 * 24 * 3600;

/** Light or dark at once, remembered by a cookie that the next page is made with. */
function switchTheme(form) {
  const button = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const next = dark ? "light" : "dark";
    root.dataset.theme = next;
    button.value = dark ? "dark" : "light";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${next}; Max-Age=${YEAR}; Path=/; SameSite=Lax${secure}`;
    document.dispatchEvent(new CustomEvent("themechange", { detail: next }));
  });
}

/** A menu closes when something else is clicked, and on Escape, which gives the focus back to it. */
function closeMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });
}

/** `data-dialog="id"` opens the <dialog>; `data-close` inside it closes it. */
function openDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog")?.close();
  });
}

/** `data-copy="id"` puts the text of an element on the clipboard, and says so. */
function copyTexts() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied ?? button.textContent;
  });
}

/** Times are sent in UTC and shown in the reader's own zone, written as everywhere: <time datetime="…" data-local>. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = `${time.dateTime} UTC`.replace("+00:00", "");
    const here = new Date(at.getTime() - 60_000 * at.getTimezoneOffset()).toISOString().replace("T", " ");
    time.textContent = here.slice(0, time.textContent.trim().length);
    delete time.dataset.local;
  }
}

document.querySelectorAll("form[data-theme-switch]").forEach(switchTheme);
closeMenus();
openDialogs();
copyTexts();
localTimes(document);
document.body.addEventListener("htmx:load", (event) => localTimes(event.detail.elt));
