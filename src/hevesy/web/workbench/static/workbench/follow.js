// A page that waits for a job shows what came of it as soon as the job ends; htmx does so for a part that it brings anew.
document.addEventListener("job-ended", (event) => {
  if (!event.target.closest("[hx-trigger='job-ended']")) location.reload();
});
