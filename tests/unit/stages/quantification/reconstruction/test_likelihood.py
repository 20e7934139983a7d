import numpy as np
import pytest

from factories.spect import small_system, water_cylinder
from hevesy.errors import BadInput, WrongQuantity
from hevesy.stages.quantification.reconstruction import (
    Measurement,
    Quadratic,
    RelativeDifference,
    Relaxation,
    Schedule,
    bsrem,
    mlem,
    osem,
    osl_map,
)


@pytest.fixture(scope="module")
def truth():
    body = water_cylinder(24, 5, 8.0, 70.0).astype(np.float32)
    body[8:12, 8:12, 1:4] += 4
    return body


@pytest.fixture(scope="module")
def system():
    return small_system()


@pytest.fixture(scope="module")
def measurement(system, truth):
    mean = 20 * system.forward(truth)
    return Measurement(system, np.random.default_rng(7).poisson(np.maximum(mean, 0) + 2.0), np.full(mean.shape, 2.0))


def test_the_likelihood_never_falls_under_mlem(measurement):
    found = []
    mlem(measurement, 40, progress=lambda _, image: found.append(measurement.log_likelihood(image)))
    steps = np.diff(found)
    # single precision: one part in 10⁷ of the likelihood is rounding
    assert steps.min() > -1e-7 * abs(found[-1])
    assert steps[0] > 0


def test_mlem_conserves_counts(measurement):
    image = mlem(measurement, 30)
    modelled = measurement.expected(image).sum(dtype=np.float64)
    # with an additive term the sum is only approached as iterations go on
    assert modelled == pytest.approx(measurement.counts.sum(dtype=np.float64), rel=2e-3)


def test_noise_free_counts_give_back_the_activity(system, truth):
    image = osem(Measurement(system, np.maximum(system.forward(truth), 0)), Schedule(40, 6))
    inside = water_cylinder(24, 5, 8.0, 50.0)
    inside[6:14, 6:14] = False
    # ringing at edges, from recovering resolution
    assert image[inside].mean() == pytest.approx(1.0, abs=0.02)
    # a cube of 4 × 4 × 3 voxels is not wholly recovered
    assert image[8:12, 8:12, 1:4].mean() == pytest.approx(5.0, rel=0.06)


def test_what_is_counted_besides_primary_photons_is_not_taken_for_activity(system, truth):
    mean = np.maximum(system.forward(truth), 0)
    clean = osem(Measurement(system, mean), Schedule(8, 6))
    scatter = np.full(mean.shape, 0.3 * mean.mean(), np.float32)
    corrected = osem(Measurement(system, mean + scatter, scatter), Schedule(8, 6))
    ignored = osem(Measurement(system, mean + scatter), Schedule(8, 6))
    # the two converge along different paths to one image
    assert corrected.sum() == pytest.approx(clean.sum(), rel=0.01)
    assert ignored.sum() > 1.2 * clean.sum()


@pytest.mark.parametrize(("prior", "rate"), [(Quadratic(0.05), 0.03), (RelativeDifference(2.0), 0.1)])
def test_bsrem_converges_to_one_image_from_any_number_of_subsets(prior, rate):
    system = small_system(side=12, slices=2, views=12)
    mean = 20 * system.forward(water_cylinder(12, 2, 8.0, 40.0))
    measurement = Measurement(system, np.random.default_rng(7).poisson(np.maximum(mean, 0)))

    def spread(images):
        return max(np.linalg.norm(image - images[0]) / np.linalg.norm(images[0]) for image in images[1:])

    converged = [bsrem(measurement, Schedule(400, subsets), prior, Relaxation(1.0, rate)) for subsets in (1, 3, 6)]
    ordered = [osem(measurement, Schedule(400, subsets)) for subsets in (1, 3, 6)]
    # what is left of the way to the common limit after 400 iterations; OSEM has no common limit
    assert spread(converged) < 6e-3
    assert spread(ordered) > 20 * spread(converged)


def test_bsrem_reaches_a_higher_objective_than_the_image_before_it(measurement):
    prior, found = RelativeDifference(8.0), []

    def objective(_, image):
        found.append(measurement.log_likelihood(image) - prior.value(image.astype(np.float64)))

    bsrem(measurement, Schedule(30, 1), prior, Relaxation(0.5, 0.05), progress=objective)
    assert found[-1] > found[0]
    assert abs(found[-1] - found[-2]) < 0.05 * (found[-1] - found[0])


def test_a_prior_smooths_a_one_step_late_image(measurement):
    plain = osem(measurement, Schedule(15, 6))
    smooth = osl_map(measurement, Schedule(15, 6), Quadratic(0.003))
    inside = water_cylinder(24, 5, 8.0, 50.0)
    inside[6:14, 6:14] = False
    assert smooth[inside].std() < 0.7 * plain[inside].std()
    # a prior moves activity about, it does not add any
    assert smooth.sum() == pytest.approx(plain.sum(), rel=0.02)


@pytest.mark.parametrize("prior", [Quadratic(0.7), RelativeDifference(0.7, 2.0)])
def test_the_gradient_of_a_prior_is_that_of_its_value(prior):
    random = np.random.default_rng(1)
    volume = random.uniform(0.5, 3, (5, 4, 3))
    direction = random.normal(size=volume.shape)
    step = 1e-5
    numeric = (prior.value(volume + step * direction) - prior.value(volume - step * direction)) / (2 * step)
    # the gradient is kept in single precision
    assert np.vdot(prior.gradient(volume), direction) == pytest.approx(numeric, rel=1e-5)


def test_the_gradient_of_a_prior_is_finite_where_the_image_is_all_but_empty():
    volume = np.full((3, 3, 3), 1e-30, np.float32)
    assert np.isfinite(RelativeDifference(0.0).gradient(volume)).all()
    assert RelativeDifference(1.0).value(volume) == pytest.approx(0, abs=1e-12)


def test_reconstruction_stops_once_it_has_settled(measurement):
    done = []
    osem(measurement, Schedule(200, 2, tolerance=0.02), progress=lambda number, _: done.append(number))
    assert 1 < len(done) < 200


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_negative_or_undefined_counts_are_refused(system, bad):
    counts = np.ones(system.projection_shape)
    counts[0, 0, 0] = bad
    with pytest.raises(WrongQuantity, match="counts of 0 or more"):
        Measurement(system, counts)


def test_projections_without_a_count_are_refused(system):
    with pytest.raises(WrongQuantity, match="no count"):
        Measurement(system, np.zeros(system.projection_shape))


def test_more_subsets_than_views_are_refused(measurement):
    with pytest.raises(BadInput, match="24 views cannot be dealt into 25"):
        osem(measurement, Schedule(1, 25))
