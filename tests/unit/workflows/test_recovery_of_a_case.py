"""Recovery coefficients from scanned spheres, by the volume of each region, through `hevesy dose`."""

import json
import math

import numpy as np
import pytest

from factories import therapy_case
from factories.therapy_case import true_tia_Bq_s
from hevesy.cli import main
from hevesy.core import Measured
from hevesy.stages.quantification.recovery import fit_recovery, read_spheres

BETA, GAMMA = 4.0, 1.3
VOLUMES = (0.5, 1.2, 2.6, 5.6, 11.5, 26.5, 60.0)
CONFIG = "registration: none\nrecovery: {spheres: spheres.csv}\nregions: {lesion: {role: lesion}}\n"


def recovered(volume_mL):
    return 1 - 1 / (1 + (volume_mL / BETA) ** GAMMA)


def table(volumes=VOLUMES, head="volume_mL,recovery,u\n"):
    return head + "".join(f"{v},{recovered(v):.6f},0.02\n" for v in volumes)


def run(tmp_path, text, config=CONFIG):
    case = therapy_case.write_case(tmp_path / "case", config=config)
    if text is not None:
        (case / "spheres.csv").write_text(text)
    return main(["dose", str(case), "--out", str(tmp_path / "out")])


def test_a_regions_activity_is_divided_by_the_recovery_of_its_volume(tmp_path):
    assert run(tmp_path, table()) == 0
    for region in json.loads((tmp_path / "out" / "results.json").read_text())["regions"]:
        expected = recovered(region["volume_mL"])
        # six digits in the table
        assert region["recovery_coefficient"]["value"] == pytest.approx(expected, rel=1e-4)
        true = true_tia_Bq_s(region["name"]) / 3.6e9
        assert region["tia_MBq_h"]["value"] == pytest.approx(true / expected, rel=3e-3)  # storage, as without
        assert "recovery" in region["tia_MBq_h"]["components"]


def test_the_uncertainty_of_a_recovery_is_the_spread_over_scanned_spheres_and_outlines():
    """Brute force: spheres drawn again, fitted again, read at a volume drawn again."""
    rng, volume = np.random.default_rng(5), Measured(8.0, 0.8, "mL", "volume")
    large = VOLUMES[1:]  # noise would take the smallest below zero, which is refused
    curve = fit_recovery(large, [Measured(recovered(v), 0.02) for v in large])
    found = []
    for _ in range(300):
        spheres = [Measured(recovered(v) + 0.02 * rng.standard_normal(), 0.02) for v in large]
        again = fit_recovery(large, spheres)
        found.append(again.at(Measured(8.0 + 0.8 * rng.standard_normal(), 0.0, "mL")).value)
    # 300 draws know a spread to 4%
    assert np.std(found) == pytest.approx(curve.at(volume).u, rel=0.12)
    assert curve.at(volume).components["volume"] == pytest.approx(
        0.8 * (recovered(8.01) - recovered(7.99)) / 0.02, rel=1e-2
    )


def test_a_table_is_read_as_it_is_written(tmp_path):
    (tmp_path / "s.csv").write_text("\ufeff" + table().replace(",", " , "), encoding="utf-8")
    curve = read_spheres(tmp_path / "s.csv")
    assert curve.beta.value == pytest.approx(BETA, rel=1e-4)
    assert curve.gamma.value == pytest.approx(GAMMA, rel=1e-4)
    assert math.isclose(curve.smallest_mL, 0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There is no file"),
        ("volume_mL,recovery\n1,0.3\n", "has no column 'u'"),
        (table((1.2, 5.6)), "needs three or more spheres"),
        (table().replace("0.020000", "x").replace("1.2,", "1.2 mL,"), "Sphere 2 has '1.2 mL' for volume_mL"),
        ("volume_mL,recovery,u\n1,30,2\n2,50,2\n5,70,2\n", "between 0 and 1.3"),
        (table((80.0, 120.0, 250.0, 400.0)), "Region 'lesion': A region of 27 mL is too small"),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, capsys, text, said):
    assert run(tmp_path, text) != 0
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error
