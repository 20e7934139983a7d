import base64
import io
from xml.etree import ElementTree

import numpy as np
from PIL import Image as Picture

from hevesy.stages.reporting.svg import colour_png, drawing, grey_png, palette_png, tag


def opened(uri):
    return Picture.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,"))))


def test_a_grey_picture_comes_back_as_it_went_in():
    levels = np.random.default_rng(1).integers(0, 256, (7, 11), dtype=np.uint8)
    assert np.array_equal(np.asarray(opened(grey_png(levels))), levels)


def test_a_colour_picture_comes_back_as_it_went_in():
    pixels = np.random.default_rng(2).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(opened(colour_png(pixels))), pixels)


def test_a_palette_picture_keeps_its_colours_and_their_opacity():
    colours = np.random.default_rng(3).integers(0, 256, (256, 4), dtype=np.uint8)
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(np.asarray(opened(palette_png(index, colours)).convert("RGBA")), colours[index])


def test_texts_and_attributes_are_escaped():
    drawn = drawing(10, 10, 'a "b" <c>', tag("text", "<script>x</script>", class_='"><script>'))
    tree = ElementTree.fromstring(drawn)
    assert [element.tag for element in tree.iter()] == ["svg", "title", "text"]
    assert tree.find("text").text == "<script>x</script>"
    assert tree.get("aria-label") == 'a "b" <c>'
