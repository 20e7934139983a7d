"""Each picture shows the voxel that lies there, whichever way the array runs through the patient."""

import threading

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from factories.viewer import Study, regular, sampled, slope, volume
from hevesy.core import Grid
from hevesy.workflows.viewer_numbers import averaged

LOWER, UPPER = -200.0, 300.0
#: a grey level for the rounding of the table, one for that of the picture
LEVELS = 2


def turned(degrees, axis):
    """A rotation about a coordinate axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = [a for a in range(3) if a != axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return matrix


def grid_of(directions, shape=(48, 40, 28), spacing=(3.0, 3.5, 5.0)):
    """A grid whose array axes run along the columns of `directions`, about a point off the origin."""
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(directions, float) * spacing
    affine[:3, 3] = np.array([7.0, -11.0, 23.0]) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


GRIDS = {
    "along the patient's axes": grid_of(np.eye(3)),
    "against every axis": grid_of(-np.eye(3)),
    "as DICOM slices are stored": grid_of(np.eye(3)[:, ::-1]),
    "sagittal slices from the right, feet first": grid_of([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "oblique": grid_of(turned(25, 0) @ turned(-15, 2) @ turned(10, 1)),
    "oblique and mirrored": grid_of(turned(-20, 1) @ turned(30, 2) @ np.diag([1, -1, 1])),
    "with a tilted gantry": grid_of([[1, 0, 0], [0, 1, -0.3], [0, 0, np.sqrt(1 - 0.09)]]),
}


def ct(grid):
    return volume("ct", "ct", grid, np.round(sampled(grid, slope)).astype(np.int16))


@pytest.fixture(params=GRIDS, ids=lambda name: name.replace(" ", "_"))
def grid(request):
    return GRIDS[request.param]


def level(page, plane, x, y):
    """The red channel of a pixel of the first pane of a plane."""
    return page.evaluate(
        """([plane, x, y]) => { const { gl } = viewer.renderer, pixel = new Uint8Array(4);
        const at = viewer.renderer.placeOf(viewer.panes.find((p) => p.plane === plane).element);
        gl.readPixels(at.x + x, at.y + at.height - 1 - y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
        return pixel[0]; }""",
        [plane, x, y],
    )


def geometry(page, plane):
    """Size of a pane in pixels, mm per pixel, the middle of the view and the cursor."""
    return page.evaluate(
        """(plane) => { const p = viewer.panes.find((q) => q.plane === plane);
        return [...p.size, p.mmPerPixel, viewer.centre, viewer.cursor]; }""",
        plane,
    )


def shown_at(page, plane, x, y):
    """The point that radiological convention puts at the middle of a pixel, mm."""
    width, height, scale, centre, cursor = geometry(page, plane)
    across, down = (x + 0.5 - width / 2) * scale, (y + 0.5 - height / 2) * scale
    return {
        "axial": (centre[0] + across, centre[1] + down, cursor[2]),
        "coronal": (centre[0] + across, cursor[1], centre[2] - down),
        "sagittal": (cursor[0], centre[1] + across, centre[2] - down),
    }[plane]


def test_each_slice_shows_what_lies_there_and_the_cursor_reads_its_voxel(open_study, grid):
    entry, data = ct(grid)
    page = open_study(Study([(entry, data)]))
    page.evaluate(f"viewer.setWindow('anatomy', {LOWER}, {UPPER}); viewer.setCursor([12, -20, 30])")
    page.evaluate("viewer.settled()")
    for plane in ("axial", "coronal", "sagittal"):
        assert_shows_the_slope(page, plane, grid)
    values = np.frombuffer(data, np.int16).reshape(grid.shape)
    for index in np.random.default_rng(2).integers((0, 0, 0), grid.shape, (20, 3)):
        point = grid.to_mm(index + 0.3)
        found = page.evaluate("(p) => viewer.whatIsAt(p, 0).values[0]", point.tolist())
        assert (found["value"], found["unit"]) == (values[tuple(index)], "HU")


@pytest.mark.parametrize("name", ["along the patient's axes", "oblique and mirrored"])
def test_a_preview_shows_what_lies_there_without_values_until_the_image_has_come(open_study, name):
    grid = GRIDS[name]
    (entry, data), (hot, counts) = ct(grid), volume("spect", "spect", grid, sampled(grid, warm).astype(np.int16))
    study = Study([(entry, data), (hot, counts)])
    stored = np.frombuffer(data, np.int16).reshape(grid.shape)
    entry["preview"] = {"factor": 3, "url": "/preview", "greatest": int(stored.max()), "bright": 0.0}
    study.bytes["/preview"] = averaged(stored, 3).tobytes()
    study.withheld["/volume/ct"] = threading.Event()
    page = open_study(study)
    page.evaluate(f"viewer.setVisible('activity', false); viewer.setWindow('anatomy', {LOWER}, {UPPER})")
    page.evaluate("viewer.setCursor([12, -20, 30]); viewer.settled()")
    for plane in ("axial", "coronal", "sagittal"):
        assert_shows_the_slope(page, plane, grid)
    point = grid.to_mm(np.array([20, 17, 11])).tolist()
    values = "(p) => viewer.whatIsAt(p, 0).values.map((v) => v.value)"
    assert page.evaluate(values, point) == [None, np.frombuffer(counts, np.int16).reshape(grid.shape)[20, 17, 11]]

    assert "Preview" in page.locator(".hv-readout").inner_text()

    study.withheld["/volume/ct"].set()
    page.evaluate("viewer.whole")
    page.evaluate("viewer.settled()")
    assert page.evaluate(values, point)[0] == stored[20, 17, 11]
    assert "Preview" not in page.locator(".hv-readout").inner_text()
    assert page.evaluate("viewer.display.anatomy.ends") == [LOWER, UPPER]
    assert page.evaluate("[viewer.display.volumes.length, viewer.renderer.volumes.size]") == [2, 2]
    assert_shows_the_slope(page, "sagittal", grid)


def warm(point):
    """An activity that the CT does not hide."""
    return 300 + point[..., 0]


def assert_shows_the_slope(page, plane, grid):
    width, height, *_ = geometry(page, plane)
    seen = 0
    for x, y in np.random.default_rng(1).uniform((0.3, 0.3), (0.7, 0.7), (12, 2)) * (width, height):
        point = shown_at(page, plane, int(x), int(y))
        index = grid.to_index(point)
        if (index < 0).any() or (index > np.array(grid.shape) - 1).any():
            continue
        seen += 1
        expected = 255 * np.clip((slope(point) - LOWER) / (UPPER - LOWER), 0, 1)
        assert level(page, plane, int(x), int(y)) == pytest.approx(expected, abs=LEVELS)
    assert seen >= 4


#: a graphics processor of the plainest kind that WebGL 2 allows
PLAIN = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (...asked) {
  const made = real.apply(this, asked), extension = made?.getExtension?.bind(made);
  if (extension) made.getExtension = (name) => (name === "OES_texture_float_linear" ? null : extension(name));
  return made;
};
"""


def test_a_graphics_processor_that_cannot_interpolate_floats_shows_voxels(open_study):
    grid = GRIDS["along the patient's axes"]
    page = open_study(Study([volume("ct", "ct", grid, sampled(grid, slope).astype(np.float32))]), before=PLAIN)
    page.evaluate(f"viewer.setWindow('anatomy', {LOWER}, {UPPER}); viewer.settled()")
    width, height, *_ = geometry(page, "coronal")
    for x, y in np.random.default_rng(4).integers((width * 0.35, height * 0.35), (width * 0.65, height * 0.65), (8, 2)):
        voxel = grid.to_mm(np.rint(grid.to_index(shown_at(page, "coronal", int(x), int(y)))))
        expected = 255 * (slope(voxel) - LOWER) / (UPPER - LOWER)
        assert level(page, "coronal", int(x), int(y)) == pytest.approx(expected, abs=LEVELS)


def test_every_whole_number_of_16_bits_is_drawn_to_one_part_in_two_thousand(open_study):
    grid = regular((256, 1, 256), (1.0, 1.0, 1.0))
    every = np.arange(-32768, 32768, dtype=np.int16).reshape(256, 1, 256)
    page = open_study(Study([volume("ct", "ct", grid, every)]))
    page.evaluate("viewer.setSmooth(false)")
    for stored in (-32768, -32767, -4097, -2049, -2048, -1000, -1, 0, 1, 3, 1023, 2047, 2050, 4098, 20001, 32767):
        # a window so narrow that one part in two thousand is seen: the number lies in its middle half
        half = max(abs(stored) / 1000, 0.5)
        i, _, k = np.unravel_index(stored + 32768, every.shape)
        point = grid.to_mm((i, 0, k)).tolist()
        page.evaluate(f"viewer.setWindow('anatomy', {stored - half}, {stored + half}); viewer.setCursor({point})")
        page.evaluate("viewer.fit(); viewer.zoom(20); viewer.settled()")
        x, y = page.evaluate("viewer.panes.find((p) => p.plane === 'coronal').pixelOf(viewer.cursor)")
        assert 63 <= level(page, "coronal", int(x), int(y)) <= 192


def test_pictures_come_back_after_the_graphics_processor_was_lost(open_study):
    grid = GRIDS["oblique"]
    page = open_study(Study([ct(grid)]))
    page.evaluate(f"viewer.setWindow('anatomy', {LOWER}, {UPPER}); viewer.settled()")
    page.evaluate(
        """() => new Promise((done) => { const { gl, canvas } = viewer.renderer;
        const loss = gl.getExtension("WEBGL_lose_context");
        canvas.addEventListener("webglcontextlost", () => setTimeout(() => loss.restoreContext()), { once: true });
        canvas.addEventListener("webglcontextrestored", () => setTimeout(() => done(0)), { once: true });
        loss.loseContext(); })"""
    )
    page.evaluate("viewer.settled()")
    assert_shows_the_slope(page, "axial", grid)


def test_at_first_the_body_fills_the_picture_and_not_the_air_about_it(open_study):
    grid = regular((40, 40, 40), (10.0, 10.0, 10.0))
    body = np.where(sampled(grid, lambda p: np.abs(p - [40, -20, 30]).max(-1)) < 60, 40, -1000).astype(np.int16)
    page = open_study(Study([volume("ct", "ct", grid, body)]))
    _, height, scale, centre, _ = geometry(page, "coronal")
    assert np.abs(np.array(centre) - [40, -20, 30]).max() <= 80, "a block of voxels"
    assert 120 <= height * scale <= 320


def test_outside_an_image_there_is_no_value_and_nothing_drawn(open_study):
    grid = regular((10, 10, 10), (4.0, 4.0, 4.0))
    wide = regular((20, 20, 20), (10.0, 10.0, 10.0))
    activity = volume("pet", "pet", grid, np.full(grid.shape, 8.0, np.float32), timePoint=0)
    bright = volume("ct", "ct", wide, np.full(wide.shape, 1000, np.int16))
    page = open_study(Study([bright, activity]))
    answer = page.evaluate("viewer.whatIsAt([60, 0, 0], 0).values.map((v) => v.value)")
    assert answer == [1000, None]
    page.evaluate("viewer.setVisible('anatomy', false); viewer.settled()")
    width, height, scale, *_ = geometry(page, "axial")
    assert level(page, "axial", int(width / 2 + 60 / scale), int(height / 2)) == 0
    assert level(page, "axial", int(width / 2), int(height / 2)) == 255


PRESETS = {"soft tissue": (-160, 240), "lung": (-1350, 150), "bone": (-500, 1500), "liver": (-20, 140)}


def test_a_preset_of_the_window_maps_its_ends_to_black_and_white(open_study):
    grid = regular((24, 24, 24), (5.0, 5.0, 5.0))
    steep = sampled(grid, lambda p: 20 + 18 * p[..., 0]).astype(np.int16)
    page = open_study(Study([volume("ct", "ct", grid, steep)]))
    width, height, scale, centre, _ = geometry(page, "axial")
    for preset, (lower, upper) in PRESETS.items():
        page.get_by_label("Window").select_option(preset)
        page.evaluate("viewer.settled()")
        for target in np.linspace(-48, 48, 9):
            x = int(width / 2 + (target - centre[0]) / scale)
            hounsfield = 20 + 18 * shown_at(page, "axial", x, int(height / 2))[0]
            expected = 255 * np.clip((hounsfield - lower) / (upper - lower), 0, 1)
            assert level(page, "axial", x, int(height / 2)) == pytest.approx(expected, abs=LEVELS)


def test_opacity_mixes_activity_into_the_ct_in_its_proportion(open_study):
    grid = regular((16, 16, 16), (5.0, 5.0, 5.0))
    hot = np.where(np.indices(grid.shape)[0] < 8, 10.0, 0.0).astype(np.float32)
    both = [
        volume("ct", "ct", grid, np.full(grid.shape, 40, np.int16)),
        volume("pet", "pet", grid, hot, suvFactor=1.0, timePoint=0),
    ]
    page = open_study(Study(both))
    width, height, scale, *_ = geometry(page, "axial")
    grey = 255 / 2
    hot_half, cold_half = int(width / 2 - 20 / scale), int(width / 2 + 20 / scale)
    for opacity in (0.0, 0.25, 0.6, 1.0):
        page.evaluate(
            f"viewer.setWindow('activity', 0, 10); viewer.setOpacity('activity', {opacity}); viewer.settled()"
        )
        assert level(page, "axial", hot_half, int(height / 2)) == pytest.approx(
            (1 - opacity) * grey + opacity * 255, abs=LEVELS
        )
        assert level(page, "axial", cold_half, int(height / 2)) == pytest.approx(grey, abs=LEVELS)


def test_hidden_layers_are_not_drawn(open_study):
    grid = regular((16, 16, 16), (5.0, 5.0, 5.0))
    layers = [
        volume("ct", "ct", grid, np.full(grid.shape, 40, np.int16)),
        volume("dose", "dose", grid, np.full(grid.shape, 5.0, np.float32)),
    ]
    page = open_study(Study(layers))
    middle = [n // 2 for n in geometry(page, "axial")[:2]]
    assert level(page, "axial", *middle) == pytest.approx(127.5, abs=LEVELS)
    page.evaluate("viewer.setVisible('dose', true); viewer.setOpacity('dose', 1); viewer.settled()")
    assert level(page, "axial", *middle) == pytest.approx(215, abs=LEVELS), (
        "the top of the isodose scale is rgb(215, 25, 30)"
    )


def blobs(point):
    """A smooth field of hot spots, none symmetric to another."""
    centres = np.array([[40, -25, 35], [-55, 10, -40], [15, 45, 10], [-20, -40, -55]])
    heights, widths = (900, 600, 400, 750), (9, 14, 12, 8)
    return sum(
        h * np.exp(-((point - c) ** 2).sum(-1) / (2 * w * w)) for c, h, w in zip(centres, heights, widths, strict=True)
    )


@pytest.mark.parametrize("name", ["along the patient's axes", "oblique and mirrored"])
def test_a_projection_shows_the_maximum_along_each_ray(open_study, name):
    grid = grid_of(GRIDS[name].affine[:3, :3] / GRIDS[name].spacing_mm, (64, 60, 72), (3.0, 3.0, 3.0))
    values = sampled(grid, blobs).astype(np.float32)
    page = open_study(Study([volume("pet", "pet", grid, values, timePoint=0)]))
    page.evaluate("viewer.setUnit('kBq/mL'); viewer.setWindow('activity', 0, 1); viewer.setProjectionMap('grey')")
    width, height, scale, centre, _ = geometry(page, "mip")
    for turn in (0.0, np.pi / 2, 2.2, -0.7):
        page.evaluate(f"viewer.setTurn({turn}); viewer.settled()")
        right, away = np.array([np.cos(turn), np.sin(turn), 0]), np.array([-np.sin(turn), np.cos(turn), 0])
        for x, y in np.random.default_rng(3).integers(
            (width * 0.25, height * 0.2), (width * 0.75, height * 0.8), (25, 2)
        ):
            middle = (
                np.array(centre)
                + right * (x + 0.5 - width / 2) * scale
                - np.array([0, 0, 1]) * (y + 0.5 - height / 2) * scale
            )
            ray = middle + np.linspace(-250, 250, 2001)[:, None] * away
            highest = map_coordinates(values, grid.to_index(ray).T, order=1, mode="constant", cval=0).max()
            # samples and rays lie one voxel apart: on the steepest flank of a spot that is 6% of the window
            assert level(page, "mip", int(x), int(y)) == pytest.approx(255 * min(highest / 1000, 1), abs=0.06 * 255)


def test_inverse_grey_is_white_where_there_is_nothing(open_study):
    grid = regular((20, 20, 20), (5.0, 5.0, 5.0))
    values = np.zeros(grid.shape, np.float32)
    values[5, 10, 15] = 100
    page = open_study(Study([volume("pet", "pet", grid, values, timePoint=0)]))
    assert level(page, "mip", 3, 3) == 255
    width, height, *_ = geometry(page, "mip")
    assert level(page, "mip", int(width / 2), int(height / 2)) == 255


def test_a_comparison_shows_one_scan_and_the_other_in_tiles_that_meet_at_the_cursor(open_study):
    grid = regular((24, 24, 24), (4.0, 4.0, 4.0))
    first, second = np.full((2, *grid.shape), 8000.0, np.float32)
    second[:, :, 6:] = 400.0  # as hot as the first where nobody looks, so that both have one window
    motion = {"how": "rigid", "shift_mm": 12.3, "rotation_deg": 4.1, "agreement_before": 0.6, "agreement_after": 0.93}
    study = Study([volume(f"{n}", "spect", grid, v, timePoint=n) for n, v in enumerate((first, second))], (), "AB")
    for time, moved in zip(study.manifest["timePoints"], ({"how": "reference"}, motion), strict=True):
        time["motion"] = moved
    page = open_study(study)
    page.locator(".hv-axial").nth(1).focus()

    def corners():
        """Whether the picture of scan B is hot, and so dark, right and left above, right and left below the cursor."""
        page.evaluate("viewer.settled('drawn')")
        return page.evaluate("""() => [[20, 20], [-20, 20], [20, -20], [-20, -20]].map(([x, y]) => {
            const { gl } = viewer.renderer, pane = viewer.panes.find((p) => p.plane === "axial" && p.timePoint === 1);
            const at = viewer.renderer.placeOf(pane.element), pixel = new Uint8Array(4);
            gl.readPixels(at.x + at.width / 2 + x, at.y + at.height / 2 + y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
            return pixel[1] < 128; })""")

    page.keyboard.press("c")
    assert page.evaluate("viewer.display.comparison") == {"mode": "checkerboard", "partner": 0}
    assert corners() == [False, True, True, False]
    page.keyboard.press("c")
    assert corners() == [True, False, True, False], "its own at the left, the other at the right of the cursor"
    assert "moved 12.3 mm, 4.1°; agreement 0.60 → 0.93" in page.locator(".hv-place").nth(1).inner_text()
