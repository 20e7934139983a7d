"""Which window is the photopeak's, which beside it tell scatter, and what subtracting it costs."""

import math

import numpy as np
import pytest

from hevesy.core import EnergyWindow, PlanarView
from hevesy.data.nuclides import nuclide
from hevesy.errors import ContradictoryInformation, HevesyError, MissingInformation, UnknownName
from hevesy.stages.quantification.energy_windows import WindowRequest, choose_windows, scatter_factors, without_scatter


def windows(*limits):
    return [EnergyWindow((pair,), f"w{k}") for k, pair in enumerate(limits)]


#: windows that are set in practice; which is the photopeak's, and which are for scatter
IN_PRACTICE = [
    ("Tc-99m", [(126.45, 154.55)], 0, []),
    ("Tc-99m", [(92, 125), (127, 153)], 1, [0]),  # Jaszczak et al. 1984: below alone
    ("Tc-99m", [(126, 154), (119, 126)], 0, [1]),
    ("Lu-177", [(187.2, 228.8), (166.4, 187.2), (228.8, 249.6)], 0, [1, 2]),  # MIRD Pamphlet 26: 20% and 10% beside
    ("Lu-177", [(149, 181), (187, 229), (235, 260)], 1, []),  # away from the peak on both sides
    ("I-131", [(279, 328), (328, 400), (400, 473)], 1, [0, 2]),
    ("I-131", [(318, 334.5), (334.6, 394), (394.2, 413)], 1, [0, 2]),
    ("I-123", [(143, 175), (130, 143), (175, 188)], 0, [1, 2]),
    ("Sm-153", [(93, 113), (83, 93), (113, 123)], 0, [1, 2]),
]


@pytest.mark.parametrize(("name", "limits", "peak", "scatter"), IN_PRACTICE)
def test_windows_set_in_practice_are_recognised(name, limits, peak, scatter):
    there = windows(*limits)
    found = choose_windows(there, WindowRequest(nuclide(name)), "scan")
    assert found.photopeak == there[peak]
    assert found.scatter == tuple(there[k] for k in scatter)


@pytest.mark.parametrize(
    ("name", "limits", "said"),
    [
        ("Lu-177", [(101, 124), (187, 229)], "2 are centred on photons of Lu-177"),
        ("In-111", [(154, 188), (220, 270)], "2 are centred on photons of In-111"),
        ("Lu-177", [(300, 340), (400, 450)], "none is centred on a photon of Lu-177"),
        ("Y-90", [(75, 225), (100, 160)], "none is centred on a photon of Y-90"),
        ("Lu-177", [(187, 229), (166, 187), (176, 187)], "2 energy windows beside its photopeak, below it"),
        ("Lu-177", [(187, 229), (229, 250)], "above its photopeak"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_option_that_settles_it(name, limits, said):
    asked = WindowRequest(nuclide(name), options=("--window NAME", "--scatter none"))
    with pytest.raises(HevesyError, match=said) as refused:
        choose_windows(windows(*limits), asked, "scan")
    assert isinstance(refused.value, MissingInformation | ContradictoryInformation)
    assert "--window NAME" in str(refused.value) or "--scatter none" in str(refused.value)


def test_a_named_photopeak_takes_the_windows_beside_it():
    there = windows((101, 124), (187, 229), (166, 187), (91, 101), (124, 134))
    found = choose_windows(there, WindowRequest(nuclide("Lu-177"), "101-124 keV"), "scan")
    assert found.scatter == (there[3], there[4])


def test_no_scatter_is_no_scatter_and_names_are_looked_up():
    there = windows((187, 229), (166, 187))
    assert choose_windows(there, WindowRequest(nuclide("Lu-177"), scatter=()), "scan").scatter == ()
    assert choose_windows(there, WindowRequest(nuclide("Lu-177"), scatter=("w1",)), "scan").scatter == (there[1],)
    with pytest.raises(UnknownName, match="no energy window called 'w7'"):
        choose_windows(there, WindowRequest(nuclide("Lu-177"), scatter=("w7",)), "scan")


def view(counts, window):
    return PlanarView(np.asarray(counts), (4.0, 4.0), 1, window)


def test_a_straight_spectrum_of_scatter_leaves_nothing_of_itself():
    below, peak, above = windows((166, 187), (187, 229), (229, 250))

    def line(window):
        (low, high), middle = window.ranges_keV[0], 208.0
        return np.full((3, 4), (high - low) * (5.0 - 0.04 * (0.5 * (low + high) - middle)))

    found = without_scatter(view(line(peak) + 1000.0, peak), [view(line(below), below), view(line(above), above)])
    np.testing.assert_allclose(found.counts, 1000.0, rtol=1e-12)


def test_the_variance_is_the_spread_of_counted_views():
    below, peak, above = windows((166, 187), (187, 229), (229, 250))
    rng = np.random.default_rng(4)
    shape, means = (200, 200), {below: 60.0, peak: 250.0, above: 25.0}
    counted = {window: view(rng.poisson(mean, shape), window) for window, mean in means.items()}
    found = without_scatter(counted[peak], [counted[below], counted[above]])
    factors = scatter_factors((21.0, 21.0), 42.0)
    true = means[peak] + factors[0] ** 2 * means[below] + factors[1] ** 2 * means[above]
    # 40,000 pixels know their variance to 0.7%
    assert found.counts.var() == pytest.approx(true, rel=0.03)
    assert found.counts_variance.mean() == pytest.approx(true, rel=0.005)
    assert found.counts.mean() == pytest.approx(250 - 60 - 25, abs=5 * math.sqrt(true / 40000))
