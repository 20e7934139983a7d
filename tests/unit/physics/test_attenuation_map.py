import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.data.materials import material
from hevesy.errors import BadInput, WrongQuantity
from hevesy.physics.attenuation import linear_attenuation_per_mm
from hevesy.physics.attenuation_map import attenuation_from_hounsfield
from hevesy.physics.hounsfield import density_from_hounsfield, materials_from_hounsfield


def ct(*hounsfield):
    values = np.array(hounsfield, np.float32).reshape(-1, 1, 1)
    return Image(values, Grid.regular(values.shape, (4.0, 4.0, 4.0)), Quantity.HOUNSFIELD)


@pytest.mark.parametrize(("keV", "per_cm"), [(140.5, 0.1535), (208.0, 0.1353), (364.5, 0.1100)])
def test_water_attenuates_as_by_nist_xcom(keV, per_cm):
    mu = attenuation_from_hounsfield(ct(0.0), keV).values[0, 0, 0]
    # the figures are interpolated in XCOM's table of water and rounded
    assert mu * 10 == pytest.approx(per_cm, rel=0.005)


def test_air_attenuates_nothing_and_no_value_is_negative():
    mu = attenuation_from_hounsfield(ct(-1000.0, -1024.0, -3000.0), 208.0).values
    assert (mu == 0).all()


@pytest.mark.parametrize("keV", [140.5, 208.0, 364.5])
def test_two_lines_agree_with_the_composition_of_tissues(keV):
    image = ct(-700, -100, 30, 60, 300, 700, 1200)
    labels, tissues = materials_from_hounsfield(image)
    density = density_from_hounsfield(image).values.ravel()
    by_tissue = [
        float(linear_attenuation_per_mm(tissues[label].with_density(float(rho)), keV * 1e-3))
        for label, rho in zip(labels.values.ravel(), density, strict=True)
    ]
    # 6%: two lines against Schneider's composition and density, whose own scatter is 3%
    np.testing.assert_allclose(attenuation_from_hounsfield(image, keV).values.ravel(), by_tissue, rtol=0.06)


def test_bone_at_the_ct_energy_is_what_its_ct_number_says():
    bone, water = (linear_attenuation_per_mm(material(name), 0.072) for name in ("cortical bone", "water"))
    number = 1000 * (float(bone / water) - 1)
    mu = attenuation_from_hounsfield(ct(number), 72.0).values[0, 0, 0]
    assert mu == pytest.approx(float(bone), rel=1e-4)


def test_other_images_and_energies_are_refused():
    with pytest.raises(WrongQuantity):
        attenuation_from_hounsfield(ct(0.0).with_values(np.ones((1, 1, 1)), Quantity.DENSITY), 208.0)
    with pytest.raises(BadInput, match="keV"):
        attenuation_from_hounsfield(ct(0.0), 0.208)
