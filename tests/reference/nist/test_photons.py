"""Mass attenuation and energy absorption against the values that NIST prints.

J. H. Hubbell and S. M. Seltzer, "Tables of X-Ray Mass Attenuation Coefficients and Mass Energy-Absorption
Coefficients", NISTIR 5632 (1995), tables 3 and 4; four digits are printed.
"""

from pathlib import Path

import numpy as np
import pytest

from hevesy.data.materials import material
from hevesy.data.photons import PROCESSES
from hevesy.physics.attenuation import (
    atomic_cross_section_barn,
    mass_attenuation_cm2_g,
    mass_energy_transfer_cm2_g,
)

# E (MeV), μ/ρ, μ_en/ρ (cm²/g)
WATER = """
0.001 4078 4065 | 0.003 192.9 191.7 | 0.01 5.329 4.944 | 0.015 1.673 1.374 | 0.02 0.8096 0.5503 | 0.03 0.3756 0.1557
0.04 0.2683 0.06947 | 0.05 0.2269 0.04223 | 0.06 0.2059 0.03190 | 0.08 0.1837 0.02597 | 0.1 0.1707 0.02546
0.15 0.1505 0.02764 | 0.2 0.1370 0.02967 | 0.3 0.1186 0.03192 | 0.4 0.1061 0.03279 | 0.5 0.09687 0.03299
0.6 0.08956 0.03284 | 0.8 0.07865 0.03206 | 1 0.07072 0.03103 | 1.5 0.05754 0.02833 | 2 0.04942 0.02608
3 0.03969 0.02281 | 5 0.03031 0.01915 | 10 0.02219 0.01566
"""
CORTICAL_BONE = """
0.01 28.51 26.80 | 0.02 4.001 3.601 | 0.03 1.331 1.070 | 0.04 0.6655 0.4507 | 0.05 0.4242 0.2336 | 0.06 0.3148 0.1400
0.08 0.2229 0.06896 | 0.1 0.1855 0.04585 | 0.15 0.1480 0.03183 | 0.2 0.1309 0.03003 | 0.3 0.1113 0.03032
0.5 0.09022 0.03073 | 0.8 0.07308 0.02973 | 1 0.06566 0.02875 | 2 0.04607 0.02441 | 5 0.02946 0.01912
"""
# E (MeV), μ/ρ (cm²/g)
LEAD = """
0.01 130.6 | 0.02 86.36 | 0.03 30.32 | 0.05 8.041 | 0.08 2.419 | 0.1 5.549 | 0.15 2.014 | 0.2 0.9985 | 0.3 0.4031
0.5 0.1614 | 0.8 0.08870 | 1 0.07102 | 1.5 0.05222 | 2 0.04606 | 3 0.04234 | 5 0.04272 | 10 0.04972
"""


def rows(text):
    return np.array([[float(v) for v in row.split()] for row in text.replace("\n", "|").split("|") if row.strip()]).T


@pytest.mark.parametrize(("name", "text"), [("water", WATER), ("cortical bone", CORTICAL_BONE), ("lead", LEAD)])
def test_attenuation_is_within_one_percent_of_nist(name, text):
    energy, printed = rows(text)[:2]
    np.testing.assert_allclose(mass_attenuation_cm2_g(material(name), energy), printed, rtol=0.01)


def test_attenuation_of_water_is_within_three_per_mille_of_nist():
    # 0.25% is the radiative correction that is left out above 1 MeV; four printed digits are 0.05%
    energy, printed, _ = rows(WATER)
    np.testing.assert_allclose(mass_attenuation_cm2_g(material("water"), energy), printed, rtol=0.003)


def test_lead_jumps_at_its_k_edge():
    below, above = mass_attenuation_cm2_g(material("lead"), [0.0880, 0.0881])
    assert below == pytest.approx(1.910, rel=0.01)
    assert above == pytest.approx(7.683, rel=0.01)


@pytest.mark.parametrize(("name", "text"), [("water", WATER), ("cortical bone", CORTICAL_BONE)])
def test_energy_transfer_is_within_one_percent_of_nist_where_little_is_radiated(name, text):
    # to 2 MeV electrons in tissue radiate below 0.5%; the first point of bone lies where its X rays are reabsorbed
    energy, _, absorbed = rows(text)
    low = energy <= 2
    np.testing.assert_allclose(mass_energy_transfer_cm2_g(material(name), energy[low]), absorbed[low], rtol=0.012)


XCOM = Path(__file__).parents[3].parent / "shared" / "reference" / "physics"


@pytest.mark.skipif(not XCOM.is_dir(), reason="needs ../shared/reference/physics")
@pytest.mark.parametrize("process", [p for p in PROCESSES if p != "incoherent"])
@pytest.mark.parametrize(("symbol", "number"), [("H", 1), ("O", 8), ("Ca", 20), ("I", 53), ("Pb", 82)])
def test_cross_sections_are_those_of_xcom(process, symbol, number):
    stem = {"photoelectric": "photo", "coherent": "rayleigh"}.get(process, process)
    tokens = iter((XCOM / f"xcom_{stem}.data").read_text().split())
    for _ in range(number):
        pairs = np.array([[float(next(tokens)), float(next(tokens))] for _ in range(int(next(tokens)))])
    inside = (pairs[:, 0] <= np.log(10.0)) & ~np.isin(pairs[:, 0], pairs[1:, 0][np.diff(pairs[:, 0]) == 0])
    energy, barn = np.exp(pairs[inside]).T
    # 32-bit storage of the logarithms
    np.testing.assert_allclose(atomic_cross_section_barn(symbol, energy, process), barn, rtol=1e-4)
