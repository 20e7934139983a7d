"""Where an administration stands on the way from its images to a signed report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import fingerprint
from hevesy.web.site.store.models import Administration, Result, Signature
from hevesy.web.workbench import tasks
from hevesy.web.workbench.case_folder import digest_of, settings_of
from hevesy.workflows.fit_settings import without_fit_settings

#: name of the page → what a person reads
PAGES: dict[str, Promise] = {
    "check": _("Data"),
    "regions": _("Regions"),
    "curves": _("Curves"),
    "engine": _("Engine"),
    "dose": _("Dose"),
    "report": _("Report"),
    "export": _("Export"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the way: its name, address, and whether it is done or something stands in the way."""

    name: str
    label: Promise
    address: str
    state: str


class Way:
    """The steps of one administration, in few queries.

    Parameters
    ----------
    administration : Administration
        With its course and patient.
    """

    def __init__(self, administration: Administration) -> None:
        self.administration = administration

    @cached_property
    def _arguments(self) -> dict[str, object]:
        return {"administration": str(self.administration.pk), "inputs": digest_of(self.administration)}

    def _job(self, kind: str, arguments: dict[str, object]) -> Job | None:
        mark = fingerprint(kind, arguments)
        return Job.objects.filter(kind=kind, fingerprint=mark).order_by("-submitted_at").first()

    @cached_property
    def check(self) -> Job | None:
        """The last check of the data as they are."""
        settings = without_fit_settings(settings_of(self.administration))
        return self._job(tasks.CHECK, {**self._arguments, "settings": settings})

    @cached_property
    def measurement(self) -> Job | None:
        """The last measurement of the data as they are."""
        settings = without_fit_settings(settings_of(self.administration))
        return self._job(tasks.MEASURE, {**self._arguments, "settings": settings})

    @cached_property
    def dose(self) -> Job | None:
        """The last computation of the dose of the data as they are."""
        return self._job(tasks.DOSE, {**self._arguments, "settings": settings_of(self.administration)})

    @cached_property
    def results(self) -> list[Result]:
        """Every result, the newest first."""
        return list(self.administration.results.order_by("-made_at").prefetch_related("signatures__person"))

    @cached_property
    def result(self) -> Result | None:
        """The result of the data as they are; None where it has not been computed."""
        if self.dose is None:
            return None
        return next((one for one in self.results if one.fingerprint == self.dose.fingerprint), None)

    @cached_property
    def signatures(self) -> list[Signature]:
        """Every version that was signed, the newest first."""
        return sorted((s for one in self.results for s in one.signatures.all()), key=lambda s: -s.version)

    @property
    def signed(self) -> bool:
        """Whether the result of the data as they are is signed."""
        return self.result is not None and any(s.result_id == self.result.pk for s in self.signatures)

    def steps(self) -> list[Step]:
        """Return the pages with their states: done, problem, or nothing."""
        ready = self.check is not None and self.check.state == State.DONE and bool((self.check.result or {})["ready"])
        measured = _state(self.measurement)
        computed = "done" if self.result else _state(self.dose)
        states = {
            "check": "done" if ready else _refused(self.check),
            "regions": "done" if self._regions else ("problem" if ready else ""),
            "curves": measured,
            "engine": computed if computed == "done" else "",
            "dose": computed,
            "report": "done" if self.signed else "",
            "export": "",
        }
        return [
            Step(name, label, reverse(f"workbench:{name}", args=[self.administration.pk]), states[name])
            for name, label in PAGES.items()
        ]

    @property
    def _regions(self) -> bool:
        facts = ((self.check.result if self.check else None) or {}).get("facts", {})
        return bool(facts.get("regions"))


def _state(job: Job | None) -> str:
    if job is None or job.is_open:
        return ""
    return "done" if job.state == State.DONE else "problem"


def _refused(job: Job | None) -> str:
    return "" if job is None or job.is_open else "problem"
