"""The table, the cursor, the keys and the time points follow one another."""

import numpy as np
import pytest

from factories.viewer import Study, region, regular, sampled, volume


def spot(grid, centre, radius):
    return sampled(grid, lambda p: ((p - centre) ** 2).sum(-1)) < radius**2


def study():
    """A lesion that moves between two time points, an organ that does not, and a dose."""
    grid = regular((32, 32, 30), (4.0, 4.0, 4.0))
    ct = volume("ct", "ct", regular((64, 64, 30), (2.0, 2.0, 4.0)), np.full((64, 64, 30), 35, np.int16))
    places = ([20, -16, 24], [20, -16, 12])
    images = [
        np.where(spot(grid, place, 10), height, 500.0) for place, height in zip(places, (8000.0, 4000.0), strict=True)
    ]
    pets = [
        volume(f"pet{n}", "pet", grid, image.astype(np.float32), timePoint=n, suvFactor=5e-4)
        for n, image in enumerate(images)
    ]
    dose = volume("dose", "dose", grid, (images[0] * 1e-3).astype(np.float32))
    regions = [
        region("lesion0", grid, spot(grid, places[0], 10), name="lesion", timePoint=0),
        region("lesion1", grid, spot(grid, places[1], 10), name="lesion", timePoint=1),
        region("kidney", grid, spot(grid, [-30, 20, -10], 16), role="organ", colour="#63d471"),
    ]
    made = Study([ct, *pets, dose], regions, ("4 h", "24 h"))
    made.grid = grid
    return made


@pytest.fixture
def page(open_study):
    return open_study(study())


def cursor(page):
    return np.array(page.evaluate("viewer.cursor"))


def rows_under_cursor(page):
    return page.locator("tbody tr:has([aria-current])").evaluate_all("(rows) => rows.map((r) => r.dataset.name)")


def test_a_row_takes_the_cursor_to_its_region_and_the_cursor_marks_the_row_that_it_is_in(page):
    page.get_by_role("button", name="kidney").click()
    assert np.linalg.norm(cursor(page) - [-30, 20, -10]) < 4, "one voxel"
    assert rows_under_cursor(page) == ["kidney"]
    page.evaluate("viewer.setCursor([20, -16, 24], 0)")
    assert rows_under_cursor(page) == ["lesion"]
    page.evaluate("viewer.setCursor([60, 60, 50], 0)")
    assert rows_under_cursor(page) == []


def test_a_lesion_is_followed_through_time(page):
    page.evaluate("viewer.setCursor([20, -16, 30], 0)")
    assert rows_under_cursor(page) == ["lesion"], "at 4 h the lesion reaches to 34 mm"
    page.locator(".hv-axial").nth(1).focus()
    assert rows_under_cursor(page) == [], "at 24 h it ends at 22 mm"
    page.get_by_role("button", name="lesion", exact=True).click()
    assert np.linalg.norm(cursor(page) - [20, -16, 12]) < 4, "the row goes to the lesion as it is at the active time"


def test_the_table_shows_what_was_measured_in_each_region(page):
    cells = page.get_by_role("row", name="lesion").first.get_by_role("cell").all_inner_texts()
    grid = study().grid
    volume_mL = spot(grid, [20, -16, 24], 10).sum() * 0.064
    assert [float(c) for c in cells[2:]] == pytest.approx([volume_mL, 8000 * 5e-4, 4000 * 5e-4, 8.0], rel=0.005)


def test_the_cursor_is_reported_with_values_units_and_regions(page):
    page.evaluate("viewer.setCursor([20, -16, 24], 0)")
    at = page.evaluate("heard.cursor.at(-1)")
    assert at["position_mm"] == [20, -16, 24]
    assert [(v["volumeId"], v["value"], v["unit"], v["suv"]) for v in at["values"]] == [
        ("ct", 35, "HU", None), ("pet0", 8000, "Bq/mL", pytest.approx(4.0)), ("dose", 8, "Gy", None),
    ]  # fmt: skip
    assert at["regionIds"] == ["lesion0"]
    readouts = page.locator(".hv-readout").all_inner_texts()
    assert all(
        text in readouts[0]
        for text in ("L 20.0", "A 16.0", "H 24.0", "35 HU", "8.000 kBq/mL", "SUV 4.00", "8.00 Gy", "lesion")
    )
    assert "500.0 Bq/mL" in readouts[1]


def test_pictures_of_all_time_points_share_one_cursor(page):
    second = page.locator(".hv-axial").nth(1)
    box = second.bounding_box()
    second.click(position={"x": 0.6 * box["width"], "y": 0.4 * box["height"]})
    moved = cursor(page)
    assert moved[0] > 5
    assert moved[1] < -5
    assert page.evaluate("viewer.activeTime") == 1
    positions = page.evaluate(
        "viewer.panes.filter((p) => p.plane === 'coronal').map((p) => p.pixelOf(viewer.cursor).map(Math.round))"
    )
    assert positions[0] == positions[1]


def test_every_key_does_what_the_help_says(page):
    page.evaluate("viewer.setCursor([10, 10, 10])")
    page.locator(".hv-axial").first.focus()
    for key, step in {
        "ArrowRight": (4, 0, 0), "ArrowLeft": (-4, 0, 0), "ArrowUp": (0, -4, 0), "ArrowDown": (0, 4, 0),
        "PageUp": (0, 0, -4), "PageDown": (0, 0, 4),
    }.items():  # fmt: skip
        before = cursor(page)
        page.keyboard.press(key)
        assert cursor(page) - before == pytest.approx(step), key
    page.keyboard.press("+")
    assert page.evaluate("viewer.magnification") == pytest.approx(1.2)
    page.keyboard.press("0")
    assert page.evaluate("viewer.magnification") == 1
    page.keyboard.press("]")
    assert page.evaluate("viewer.brushRadius") == pytest.approx(12.5)
    page.keyboard.press("s")
    assert page.evaluate("viewer.tool") == "sphere"
    page.keyboard.press("Escape")
    assert page.evaluate("viewer.tool") == "navigate"
    page.keyboard.press(",")
    assert page.evaluate("viewer.display.activity.opacity") == pytest.approx(0.5)
    page.keyboard.press("i")
    assert page.evaluate("viewer.smooth") is False
    page.locator(".hv-mip").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("viewer.turn") == pytest.approx(np.pi / 18)
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()


def test_the_projections_of_all_time_points_turn_until_told_to_stop(page):
    page.locator(".hv-mip").first.focus()
    before = page.evaluate("viewer.panes.filter((p) => p.isProjection).map((p) => p.drawn)")
    page.keyboard.press("r")
    turned = (
        "(before) => viewer.panes.filter((p) => p.isProjection).every((p, n) => (p.drawn ?? before[n]) !== before[n])"
    )
    page.wait_for_function(turned, arg=before, timeout=60_000)
    assert page.get_by_role("button", name="Rotate").get_attribute("aria-pressed") == "true"
    page.keyboard.press("r")
    page.evaluate("viewer.settled()")
    at_rest = page.evaluate("viewer.turn")
    assert at_rest > 0
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert page.evaluate("viewer.turn") == at_rest


def test_a_region_can_be_painted_by_keys_alone(open_study):
    made = study()
    page = open_study(made)
    page.get_by_role("button", name="kidney").focus()
    page.keyboard.press("Enter")
    page.locator(".hv-axial").first.focus()
    page.keyboard.press("b")
    for _ in range(4):
        page.keyboard.press("PageDown")
    page.keyboard.press("Space")
    page.evaluate("viewer.edits.last")
    (edit,) = made.edits
    assert (edit["tool"], edit["regionId"]) == ("brush", "kidney")
    assert edit["set"]


def test_a_click_on_a_projection_takes_the_cursor_to_the_brightest_voxel_of_its_ray(page):
    x, y = page.evaluate(
        """() => { const p = viewer.panes.find((q) => q.plane === "mip"), box = p.element.getBoundingClientRect();
        const [x, y] = p.pixelOf([20, 0, 24]); return [box.left + x, box.top + y]; }"""
    )
    page.mouse.click(x, y)
    found = page.evaluate("viewer.whatIsAt(viewer.cursor, 0)")
    assert found["regionIds"] == ["lesion0"]


def test_time_points_can_be_chosen_and_one_is_always_shown(page):
    page.get_by_role("button", name="24 h", exact=True).click()
    assert page.locator(".hv-row").count() == 1
    assert page.get_by_role("button", name="24 h", exact=True).get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="4 h", exact=True).click()
    assert page.locator(".hv-row").count() == 1
    page.evaluate("viewer.settled()")
    assert page.evaluate("viewer.panes[0].size[0]") > 300


def test_the_unit_of_display_carries_the_window_with_it(page):
    page.evaluate("viewer.setWindow('activity', 0, 4)")
    page.get_by_label("Unit").select_option("kBq/mL")
    assert page.evaluate("viewer.display.activity.upper") == pytest.approx(8)
    assert page.get_by_role("columnheader", name="Maximum 4 h, kBq/mL").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_in_light_and_dark(open_study, assert_accessible, scheme):
    page = open_study(study(), scheme=scheme)
    page.get_by_role("button", name="kidney").click()
    assert_accessible(page)
    page.locator(".hv-axial").first.focus()
    page.keyboard.press("?")
    assert_accessible(page)


def test_every_picture_is_reached_by_tab(page):
    page.get_by_label("Threshold").focus()
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    names = [
        f"{plane} · {time}" for time in ("4 h", "24 h") for plane in ("Axial", "Coronal", "Sagittal", "Projection")
    ]
    assert [name for name in reached if name in names] == names


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"dtype": "int16"}, "Volume pet0 has 122880 bytes; its shape needs 61440."),
        ({"kind": "mri"}, "Volume pet0 is of the unknown kind mri."),
        ({"affine": np.zeros((4, 4)).tolist()}, "A grid's affine is singular."),
        ({"url": "/nowhere"}, "/nowhere answered 404 Not Found"),
        ({"slope": 0}, "Volume pet0 has a slope of 0; a positive one was expected."),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(open_study, fault, message):
    made = study()
    made.manifest["volumes"][1].update(fault)
    page = open_study(made, fails=True)
    assert page.evaluate("window.refused") == message
    assert message in page.get_by_role("alert").inner_text()


def test_every_word_of_the_page_is_translated(open_study):
    page = open_study(study())
    plain = page.evaluate(
        """async () => { const { openViewer } = await import("/static/workbench/viewer/viewer.js");
        const manifest = await (await fetch("/manifest.json")).json();
        const options = { gettext: (text) => `«${text}»`, onEdit: async () => ({}) };
        const other = await openViewer(document.body.appendChild(document.createElement("div")), manifest, options);
        const words = [...other.element.querySelectorAll("legend, label, button, th, [aria-label]")]
          .map((e) => e.getAttribute("aria-label") || e.textContent).filter((text) => !text.includes("«"));
        other.destroy(); return [...new Set(words)]; }"""
    )
    # names that the manifest gives are the caller's to translate
    assert set(plain) <= {"4 h", "24 h", "lesion", "kidney"}


def test_the_bytes_of_a_volume_may_come_from_elsewhere(open_study):
    page = open_study(study())
    asked = page.evaluate(
        """async () => { const { openViewer } = await import("/static/workbench/viewer/viewer.js");
        const manifest = await (await fetch("/manifest.json")).json(), asked = [];
        const bytes = async (url) => (await fetch(url)).arrayBuffer();
        const fetchVolume = (entry) => { asked.push(entry.id); return bytes(entry.url); };
        const place = document.body.appendChild(document.createElement("div"));
        const other = await openViewer(place, manifest, { fetchVolume });
        const editing = other.element.textContent.includes("Brush"); other.destroy();
        return [asked.sort(), editing]; }"""
    )
    assert asked == [["ct", "dose", "kidney", "lesion0", "lesion1", "pet0", "pet1"], False]
