"""With what a scan was taken and how it was reconstructed, as its header says: what its resolution hangs on."""

from __future__ import annotations

from typing import Any

from hevesy.stages.imaging import header

#: what is told apart → keyword of the header
_STATED = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "reconstruction": "ReconstructionMethod",
    "derivation": "DerivationDescription",
    "filter": "ConvolutionKernel",
    "attenuation correction": "AttenuationCorrectionMethod",
    "scatter correction": "ScatterCorrectionMethod",
}
#: what is told of the collimator; a gamma camera's object has it with each detector
_COLLIMATOR = ("CollimatorGridName", "CollimatorType")
#: words of Corrected Image (0028,0051) on which resolution or recovery hangs
_CORRECTIONS = ("ATTN", "SCAT")


def imaging_chain(head: Any) -> dict[str, str]:
    """Return camera, collimator, reconstruction and corrections of a scan, those that its header states.

    Parameters
    ----------
    head : Dataset
        Header of any object of the series.
    """
    found = {name: header.text(head, keyword) for name, keyword in _STATED.items()}
    places = (head, *header.items(head, "DetectorInformationSequence")[:1])
    found["collimator"] = " ".join(filter(None, (header.text(place, name) for place in places for name in _COLLIMATOR)))
    corrected = header.words(head, "CorrectedImage")
    found["corrections"] = " ".join(word for word in _CORRECTIONS if word in corrected) or "none" if corrected else ""
    return {name: " ".join(value.split()) for name, value in found.items() if value}
