"""Make `examples/planar-and-one-spect` anew: the synthetic patient of the tests, seen by one SPECT and planar views.

PYTHONPATH=src:tests python tools/build_planar_example.py
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset

from factories import planar_views, therapy_case
from factories.dicom import write
from hevesy.data.nuclides import nuclide
from hevesy.physics.decay import decay_factor

TARGET = Path(__file__).parents[1] / "examples/planar-and-one-spect"
#: what of the tests' body is warm, Bq/mL at administration, and its effective half-life, s
therapy_case.WASHOUT["body"] = (4e4, 40 * 3600.0)
SPECT_H, PLANAR_H = 30.0, (4.0, 24.0, 96.0, 168.0)
#: the third planar view was taken with the patient elsewhere on the couch: x and z, mm
MOVED_MM = {3: (-10.0, 16.0)}
COUNTER_H, EFFECTIVE_H = (0.5, 4.0, 24.0, 48.0, 96.0, 168.0), 40.0
CASE = """\
# one SPECT gives how much, the planar views how fast
planar: true
regions:
  organ: { recovery: 1 }
  lesion: { role: lesion, recovery: 1 }
# and a probe tells of the whole patient
whole_body: { counter: counts.csv }
patient: { mass_kg: 70 }
"""


def main() -> None:
    """Write the folder, every file the same each time."""
    for folder in ("spect", "planar"):
        shutil.rmtree(TARGET / folder, ignore_errors=True)
    images = therapy_case.scan(SPECT_H, 1, SeriesDescription="SPECT")
    drawn = therapy_case.structures(images, 1, organ=therapy_case.ORGAN, lesion=therapy_case.LESION)
    views = [
        planar_views.scan(hours, number, MOVED_MM.get(number, (0.0, 0.0)), windows="triple")
        for number, hours in enumerate(PLANAR_H, start=1)
    ]
    for number, made in enumerate((*images, drawn, *views), start=1):
        _settle(made, number)
    write(TARGET / "spect", images)
    write(TARGET / "spect", [drawn], "structures")
    write(TARGET / "planar", views)
    (TARGET / "case.yaml").write_text(CASE, encoding="utf-8")
    (TARGET / "counts.csv").write_text(readings(), encoding="utf-8")


def _settle(made: Dataset, number: int) -> None:
    """Give an object the identity that it has each time."""
    made.PatientName = made.PatientID = "SYNTHETIC"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.10.1.{number}"
    made.InstanceCreationDate = datetime(2024, 3, 5).strftime("%Y%m%d")


def readings() -> str:
    """Return what a probe counts in a minute from the front and from behind, without noise."""
    rate = nuclide("Lu-177").decay_constant.value
    first = therapy_case.ADMINISTERED_BQ * float(decay_factor(rate, COUNTER_H[0] * 3600.0))
    lines = ["t_h,counts,opposite_counts,duration_s,background_counts,background_s"]
    for hours in COUNTER_H:
        present = first * 2 ** (-(hours - COUNTER_H[0]) / EFFECTIVE_H)
        lines.append(f"{hours:g},{present * 2.4e-5 + 1200:.0f},{present * 1.5e-5 + 1200:.0f},60,6000,300")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
