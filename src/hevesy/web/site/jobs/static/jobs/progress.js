// Live progress of jobs: the server sends what has changed; where that does not come through, it is asked every two seconds.

const PAUSE = 2000;

/** Show one message of the server, and return whether the job has ended. */
function show(section, message) {
  const live = section.querySelector("[data-live]");
  const log = live.querySelector("pre");
  const open = live.querySelector("details")?.open;
  const atEnd = !log || log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  const top = log?.scrollTop;
  live.innerHTML = message.html; // rendered by this site's own template, in which everything is escaped
  const details = live.querySelector("details");
  if (details && open !== undefined) details.open = open;
  const renewed = live.querySelector("pre");
  if (renewed) renewed.scrollTop = atEnd ? renewed.scrollHeight : top;
  const said = section.querySelector("[data-said]");
  if (said.textContent !== message.said) said.textContent = message.said; // read aloud only when there is news
  if (message.ended) {
    section.querySelector("[data-cancel]")?.remove();
    section.dispatchEvent(new CustomEvent("job-ended", { bubbles: true, detail: { state: message.state } }));
  }
  return message.ended;
}

/** Follow one job by asking. */
async function ask(section) {
  for (;;) {
    try {
      const answer = await fetch(section.dataset.state, { headers: { Accept: "application/json", "X-Unattended": "1" } });
      if (answer.ok && show(section, await answer.json())) return;
      if (answer.status === 403 || answer.status === 404) return;
    } catch {
      // the server is being started again; it will answer later
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Follow one job by being told. */
function listen(section) {
  const source = new EventSource(section.dataset.events);
  source.onmessage = (event) => {
    if (show(section, JSON.parse(event.data))) source.close();
  };
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
    ask(section);
  };
}

/** Ask to cancel without leaving the page. */
async function cancel(event) {
  event.preventDefault();
  const form = event.currentTarget;
  form.querySelector("button").disabled = true;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (!answer?.ok) form.querySelector("button").disabled = false;
}

/** Begin to follow what is in the page and is not followed yet. */
function begin(root) {
  for (const section of root.querySelectorAll("[data-events]:not([data-followed])")) {
    section.dataset.followed = "";
    section.querySelector("[data-cancel]")?.addEventListener("submit", cancel);
    listen(section);
  }
}

begin(document);
document.addEventListener("htmx:load", (event) => begin(event.target.parentElement ?? document));
