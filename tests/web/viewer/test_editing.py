"""Edits arrive as exact, numbered differences, and undo brings back exactly what was."""

import base64

import numpy as np
import pytest

from factories.viewer import Study, region, regular, sampled, volume
from hevesy.core import Grid

RADIUS_MM = 12.0


def grid_of(name):
    if name == "upright":
        return regular((30, 30, 24), (4.0, 4.0, 5.0), (3.0, -6.0, 10.0))
    c, s = np.cos(0.4), np.sin(0.4)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, -1]]) * (4.0, 4.0, 5.0)
    affine[:3, 3] = np.array([3.0, -6.0, 10.0]) - affine[:3, :3] @ np.array([14.5, 14.5, 11.5])
    return Grid((30, 30, 24), affine)


def spot(grid, centre, radius):
    return sampled(grid, lambda p: ((p - centre) ** 2).sum(-1)) < radius**2


def study(name="upright"):
    grid = grid_of(name)
    activity = sampled(grid, lambda p: 1000 * np.exp(-((p - [15, -20, 20]) ** 2).sum(-1) / 300)).astype(np.float32)
    volumes = [volume("pet", "pet", grid, activity, timePoint=0, suvFactor=0.01)]
    regions = [
        region("first", grid, spot(grid, [15, -20, 20], 14)),
        region("second", grid, spot(grid, [-30, 15, -20], 10), colour="#ffd23f"),
    ]
    made = Study(volumes, regions)
    made.grid, made.activity = grid, activity
    return made


def mask_in(page, grid, identity="first"):
    """The region's mask in the page, on the whole grid."""
    flat = page.evaluate("(id) => viewer.regions.find((r) => r.id === id).mask.flat()", identity)
    mask = np.zeros(grid.size, bool)
    mask[flat] = True
    return mask.reshape(grid.shape)


def voxels(runs):
    return {i for start, length in runs for i in range(start, start + length)}


def flat(mask):
    return set(np.flatnonzero(mask).tolist())


def aim(page, plane, point):
    """Where a point is on the page, in a pane."""
    return page.evaluate(
        """([plane, point]) => { const p = viewer.panes.find((q) => q.plane === plane);
        const box = p.element.getBoundingClientRect(), [x, y] = p.pixelOf(point);
        return [Math.round(box.left + x), Math.round(box.top + y)]; }""",
        [plane, list(point)],
    )


def point_under(page, plane, x, y):
    return np.array(
        page.evaluate(
            """([plane, x, y]) => { const p = viewer.panes.find((q) => q.plane === plane);
            const box = p.element.getBoundingClientRect(); return p.pointAt(x - box.left, y - box.top); }""",
            [plane, x, y],
        )
    )


def start(page, tool, *, ball=True):
    page.evaluate(
        f"viewer.choose(viewer.regions[0]); viewer.setBrushRadius({RADIUS_MM}); viewer.setBall({str(ball).lower()})"
    )
    page.evaluate("viewer.settled()")
    page.get_by_role("button", name=tool, exact=True).click()


def sent(page, made):
    """The edits that have reached the server, once all have."""
    page.evaluate("viewer.edits.last")
    return made.edits


@pytest.mark.parametrize("name", ["upright", "oblique"])
def test_a_dab_a_rub_undo_and_redo_arrive_voxel_by_voxel(open_study, name):
    made = study(name)
    page = open_study(made)
    start(page, "Brush")
    before = mask_in(page, made.grid)
    assert flat(before) == flat(spot(made.grid, [15, -20, 20], 14))
    x, y = aim(page, "axial", [32, -20, 20])
    centre = point_under(page, "axial", x, y)
    page.mouse.click(x, y)
    painted = before | (sampled(made.grid, lambda p: ((p - centre) ** 2).sum(-1)) <= RADIUS_MM**2)
    assert flat(mask_in(page, made.grid)) == flat(painted)
    page.keyboard.press("e")
    x, y = aim(page, "axial", [6, -24, 20])
    centre = point_under(page, "axial", x, y)
    page.mouse.click(x, y)
    rubbed = painted & ~(sampled(made.grid, lambda p: ((p - centre) ** 2).sum(-1)) <= RADIUS_MM**2)
    for key in ("Control+z", "Control+z", "Control+Shift+z"):
        page.keyboard.press(key)
    brush, erase, undo, undo_more, redo = sent(page, made)
    assert [e["tool"] for e in made.edits] == ["brush", "erase", "undo", "undo", "redo"]
    assert [(e["baseVersion"], e["version"]) for e in made.edits] == [(3, 4), (4, 5), (5, 6), (6, 7), (7, 8)]
    assert (voxels(brush["set"]), voxels(brush["clear"])) == (flat(painted & ~before), set())
    assert (voxels(erase["set"]), voxels(erase["clear"])) == (set(), flat(painted & ~rubbed))
    assert (undo["set"], undo["clear"]) == (erase["clear"], [])
    assert (undo_more["set"], undo_more["clear"]) == ([], brush["set"])
    assert redo["set"] == brush["set"]
    assert flat(mask_in(page, made.grid)) == flat(painted)


def test_the_runs_of_an_edit_rise_and_do_not_touch(open_study):
    made = study()
    page = open_study(made)
    start(page, "Brush")
    page.mouse.click(*aim(page, "coronal", [35, -20, 30]))
    (edit,) = sent(page, made)
    starts, ends = np.array([(s, s + n) for s, n in edit["set"]]).T
    assert (starts[1:] > ends[:-1]).all()
    assert (ends > starts).all()


@pytest.mark.parametrize(("plane", "axis"), [("axial", 2), ("coronal", 1), ("sagittal", 0)])
def test_a_disc_paints_one_slice_along_the_way_it_is_drawn(open_study, plane, axis):
    made = study()
    page = open_study(made)
    start(page, "Brush", ball=False)
    page.evaluate(f"viewer.setCursor({made.grid.to_mm((14, 14, 12)).tolist()}); viewer.settled()")
    cursor = made.grid.to_mm((14, 14, 12))
    ends = [cursor.copy(), cursor.copy()]
    across = (axis + 1) % 3
    ends[0][across] -= 16
    ends[1][across] += 16
    pixels = [aim(page, plane, p) for p in ends]
    page.mouse.move(*pixels[0])
    page.mouse.down()
    page.mouse.move(*pixels[1], steps=3)
    page.mouse.up()
    (edit,) = sent(page, made)
    touched = np.array(np.unravel_index(sorted(voxels(edit["set"])), made.grid.shape)).T
    assert set(touched[:, axis]) == {(14, 14, 12)[axis]}
    first, last = (point_under(page, plane, *p) for p in pixels)
    points = made.grid.to_mm(touched)
    share = np.clip((points - first) @ (last - first) / ((last - first) @ (last - first)), 0, 1)[:, None]
    away = points - (first + share * (last - first))
    away[:, axis] = 0
    assert np.linalg.norm(away, axis=1).max() <= RADIUS_MM + 1e-6
    # dabs lie half a radius apart at most, so that nothing within 0.968 = √(1 − ¼²) of the radius is left out
    layer = made.grid.to_mm(np.argwhere(np.indices(made.grid.shape)[axis] == (14, 14, 12)[axis]))
    share = np.clip((layer - first) @ (last - first) / ((last - first) @ (last - first)), 0, 1)[:, None]
    away = layer - (first + share * (last - first))
    away[:, axis] = 0
    near = {
        tuple(index)
        for index in np.rint(made.grid.to_index(layer[np.linalg.norm(away, axis=1) < 0.968 * RADIUS_MM])).astype(int)
    }
    before = {tuple(index) for index in np.argwhere(spot(made.grid, [15, -20, 20], 14))}
    assert near - before <= {tuple(index) for index in touched}


def test_a_refused_edit_and_all_that_stands_on_it_are_taken_back(open_study):
    made = study()
    page = open_study(made)
    start(page, "Brush")
    before = flat(mask_in(page, made.grid))

    def refuse(edit):
        raise ValueError("Another person has changed this region.")

    made.answer = refuse
    page.mouse.click(*aim(page, "axial", [35, -20, 20]))
    page.mouse.click(*aim(page, "axial", [-5, -20, 20]))
    sent(page, made)
    assert flat(mask_in(page, made.grid)) == before
    assert "Another person has changed this region." in page.get_by_role("alert").inner_text()
    assert page.evaluate("viewer.regions[0].version") == 3


def answer_with(made, mask, **more):
    """A server's answer that replaces a region's mask."""
    entry, data = region("any", made.grid, mask)
    made.bytes["/region/answer"] = data
    return {"mask": {"box": entry["box"], "url": "/region/answer"}, **more}


def test_a_sphere_is_thresholded_by_the_server_and_can_be_undone(open_study):
    made = study()
    page = open_study(made)
    start(page, "Sphere")
    before = flat(mask_in(page, made.grid))

    def threshold(edit):
        if edit["tool"] != "sphere":
            return {}
        inside = spot(made.grid, edit["centreMm"], edit["radiusMm"])
        made.expected = inside & (made.activity >= 0.41 * made.activity[inside].max())
        return answer_with(made, made.expected, version=9)

    made.answer = threshold
    x, y = aim(page, "axial", [15, -20, 20])
    edge, _ = aim(page, "axial", [45, -20, 20])
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(edge, y, steps=3)
    page.mouse.up()
    (asked,) = sent(page, made)
    assert asked["centreMm"] == pytest.approx(point_under(page, "axial", x, y).tolist(), abs=1e-6)
    assert asked["radiusMm"] == pytest.approx(30, abs=1.5), "two pixels"
    assert (asked["method"], asked["volumeId"], asked["regionId"], asked["baseVersion"]) == ("41%", "pet", "first", 3)
    assert flat(mask_in(page, made.grid)) == flat(made.expected)
    page.get_by_role("button", name="Undo").click()
    undo = sent(page, made)[-1]
    assert (undo["baseVersion"], undo["version"]) == (9, 10)
    assert voxels(undo["set"]) == before - flat(made.expected)
    assert voxels(undo["clear"]) == flat(made.expected) - before
    assert flat(mask_in(page, made.grid)) == before


def test_a_fixed_suv_is_sent_with_its_threshold(open_study):
    made = study()
    page = open_study(made)
    start(page, "Sphere")
    made.answer = lambda edit: answer_with(made, spot(made.grid, [15, -20, 20], 9))
    page.get_by_label("Threshold").select_option("suv")
    page.get_by_label("SUV", exact=True).fill("2.5")
    page.get_by_label("SUV", exact=True).press("Enter")
    page.locator(".hv-axial").focus()
    page.keyboard.press("Space")
    (asked,) = sent(page, made)
    assert (asked["method"], asked["threshold"]) == ("suv", 2.5)


def test_growing_and_interpolating_ask_the_server_with_their_place(open_study):
    made = study()
    page = open_study(made)
    start(page, "Grow")
    made.answer = lambda edit: answer_with(made, spot(made.grid, [15, -20, 20], 18))
    x, y = aim(page, "coronal", [20, -20, 25])
    page.mouse.click(x, y)
    (grown,) = sent(page, made)
    assert grown["tool"] == "grow"
    assert grown["seedMm"] == pytest.approx(point_under(page, "coronal", x, y).tolist(), abs=1e-6)
    page.get_by_role("button", name="Interpolate slices").click()
    assert sent(page, made)[-1]["tool"] == "interpolate"
    assert flat(mask_in(page, made.grid)) == flat(spot(made.grid, [15, -20, 20], 18))


def test_a_new_region_is_made_renamed_given_a_role_and_deleted(open_study):
    made = study()
    page = open_study(made)

    def answer(edit):
        if edit["tool"] != "create":
            return {}
        grid = {"shape": made.grid.shape, "affine": made.grid.affine.tolist()}
        return {
            "region": {
                "id": "new",
                "name": edit["name"],
                "role": edit["role"],
                "colour": "#00bcd4",
                "timePoint": 0,
                "grid": grid,
            }
        }

    made.answer = answer
    page.get_by_role("button", name="New lesion").click()
    page.get_by_label("Name").fill("Node left")
    page.get_by_label("Name").press("Enter")
    page.get_by_label("Role").select_option("organ")
    sent(page, made)
    assert page.get_by_role("row", name="Node left").get_by_role("cell", name="organ", exact=True).count() == 1
    page.get_by_role("button", name="Brush").click()
    page.mouse.click(*aim(page, "axial", [0, 0, 10]))
    painted = sent(page, made)[-1]
    assert (painted["tool"], painted["regionId"], painted["baseVersion"]) == ("brush", "new", 0)
    assert len(voxels(painted["set"])) > 50
    page.get_by_role("button", name="Delete").click()
    tools = [e["tool"] for e in sent(page, made)]
    assert tools == ["create", "rename", "role", "brush", "delete"]
    assert page.get_by_role("row", name="Node left").count() == 0
    assert page.evaluate("viewer.edits.canUndo") is False


def test_a_mask_may_come_with_the_answer_itself(open_study):
    made = study()
    page = open_study(made)
    sphere = spot(made.grid, [15, -20, 20], 11)
    encoded = base64.b64encode(sphere.astype(np.uint8).tobytes()).decode()
    page.evaluate(
        """(encoded) => { viewer.choose(viewer.regions[0]);
        const data = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
        const box = { offset: [0, 0, 0], shape: [30, 30, 24] };
        viewer.edits.send = async () => ({ version: 4, mask: { box, data } });
        return viewer.askInterpolation().then(() => 0); }""",
        encoded,
    )
    assert flat(mask_in(page, made.grid)) == flat(sphere)
