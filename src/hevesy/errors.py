"""Every refusal, as one tree: a person sees one line that says what was refused and what to do."""

from __future__ import annotations


class HevesyError(Exception):
    """A refusal.

    Parameters
    ----------
    refused : str
        What was refused and what was expected instead.
    remedy : str, optional
        What exists or what to do; shown after the refusal.
    """

    def __init__(self, refused: str, remedy: str = "") -> None:
        self.refused = refused
        self.remedy = remedy
        super().__init__(f"{refused} {remedy}".strip())


class BadInput(HevesyError):
    """What was given cannot be used as it is."""


class EmptyInput(BadInput):
    """Nothing usable was found where input was expected."""


class UnreadableFile(BadInput):
    """A file is damaged, truncated, or not of the kind that it claims to be."""


class UnsupportedObject(BadInput):
    """A sound file of a kind that this software does not read."""


class IncompleteSeries(BadInput):
    """Slices or frames of a series are missing."""


class DuplicateSlices(BadInput):
    """Two slices of a series lie at one position."""


class MixedSeries(BadInput):
    """Objects that do not belong together were given as one."""


class MixedPatients(BadInput):
    """The input holds more than one patient."""


class MissingInformation(BadInput):
    """A fact that a number depends on is absent and must be supplied."""


class ContradictoryInformation(BadInput):
    """Two stated facts cannot both be true."""


class ImpossibleTiming(BadInput):
    """The times given cannot have happened, such as a scan before its injection."""


class OutsideValidity(BadInput):
    """A method was asked for where it is known not to hold."""


class WrongQuantity(BadInput):
    """Values do not mean what is needed, such as counts where Bq/mL is expected."""


class GridMismatch(BadInput):
    """Two things that must share a grid do not."""


class OutsideImage(BadInput):
    """A region reaches beyond the image that it is to be measured on."""


class IdentityRemains(BadInput):
    """What names the patient could not be removed."""


class UnknownName(BadInput):
    """A name is not among those that exist."""


class UnknownRegion(UnknownName):
    """No region has this name."""


class UnknownNuclide(UnknownName):
    """The nuclide is not in the decay data."""


class UnknownEngine(UnknownName):
    """No dose engine has this name."""


class BadConfiguration(BadInput):
    """A configuration file has a wrong key or value."""


class UnphysicalResult(HevesyError):
    """What was computed contradicts physics; a number would mislead."""


class QuantificationMoved(UnphysicalResult):
    """De-identification would change a number that quantification rests on."""


class UnphysicalCurve(UnphysicalResult):
    """A time-activity curve breaks a law of decay or conservation."""


class NoWashout(UnphysicalResult):
    """The activity has not begun to fall by the last scan, so that no washout can be fitted."""


class RegistrationWorsened(UnphysicalResult):
    """Registration found no agreement of two images, made it worse, or moved them implausibly far."""


class OutputFailed(HevesyError):
    """Output could not be written; nothing was left behind."""


class LastAdministrator(BadInput):
    """A site would be left with nobody who can let people in."""


class NoRoom(OutputFailed):
    """The disk, or the part of it that may be filled, is full."""


class PeerFailed(HevesyError):
    """Another system did not do what it was asked for."""


#: error class → (process exit code, HTTP status); a class not named here takes its nearest ancestor's.
STATUS: dict[type[HevesyError], tuple[int, int]] = {
    HevesyError: (1, 500),
    BadInput: (2, 422),
    EmptyInput: (3, 422),
    UnreadableFile: (4, 422),
    UnsupportedObject: (4, 415),
    MissingInformation: (5, 422),
    UnknownName: (6, 404),
    BadConfiguration: (7, 422),
    UnphysicalResult: (8, 409),
    OutputFailed: (9, 507),
    PeerFailed: (10, 502),
}


def exit_code(error: HevesyError) -> int:
    """Return the process exit code for an error."""
    return _status(error)[0]


def http_status(error: HevesyError) -> int:
    """Return the HTTP status for an error."""
    return _status(error)[1]


def _status(error: HevesyError) -> tuple[int, int]:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
