// When the import has ended, its page is shown anew, with the report.
document.querySelector("[data-reload]")?.addEventListener("job-ended", () => location.reload());
