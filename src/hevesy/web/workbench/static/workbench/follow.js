// A page that waits for a job shows what came of it as soon as the job ends.
document.addEventListener("job-ended", () => location.reload());
