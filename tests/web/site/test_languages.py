import ast
import gettext
import importlib.util
import re
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[3]
WEB = ROOT / "src/hevesy/web"
FILES = sorted(WEB.rglob("locale/*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"{\w+}|%(?:\(\w+\))?[sd]|<[^>]+>")


@pytest.fixture(scope="module")
def tool():
    specification = importlib.util.spec_from_file_location("compile_messages", ROOT / "tools/compile_messages.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def name(path):
    return path.parts[-3]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_what_is_compiled_is_what_was_translated(tool, path):
    messages = tool.read(path.read_text(encoding="utf-8"))
    assert path.with_suffix(".mo").read_bytes() == tool.compiled(messages), "run tools/compile_messages.py"
    with path.with_suffix(".mo").open("rb") as file:
        known = gettext.GNUTranslations(file)
    single = {key: value for key, value in messages.items() if key and "\0" not in key}
    assert len(single) > 100
    assert all(known.gettext(key) == value for key, value in single.items())


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_translation_fills_in_what_the_english_does(tool, path):
    for key, value in tool.read(path.read_text(encoding="utf-8")).items():
        if key:
            for form in value.split("\0"):
                assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(key.split("\0")[0])), key


def words_of_pages():
    """Every text that a template or a module marks for translation, with the file that does."""
    for path in WEB.rglob("*.html"):
        marked = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        for text in re.findall(r"""\bgettext\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\)""", marked):
            yield ast.literal_eval(text), path
    for path in WEB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id
            if called in ("_", "gettext", "gettext_lazy") and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value, path


@pytest.mark.parametrize("language", sorted({name(path) for path in FILES}))
def test_every_word_of_a_page_is_translated(tool, language):
    known = {key for path in FILES if name(path) == language for key in tool.read(path.read_text(encoding="utf-8"))}
    known = {form for key in known for form in key.split("\0")}
    words = dict(words_of_pages())
    assert len(words) > 400
    assert {text: path.name for text, path in words.items() if text not in known} == {}


@pytest.mark.parametrize("path", [path for path in FILES if "site" in path.parts], ids=name)
def test_numbers_of_things_have_their_forms(path):
    with path.with_suffix(".mo").open("rb") as file:
        known = gettext.GNUTranslations(file)
    forms = [known.ngettext("%d second", "%d seconds", number) % number for number in (0, 1, 2, 3, 11, 100)]
    assert not any("second" in form.split() or "seconds" in form.split() for form in forms), forms


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "language", "direction", "word"),
    [
        ("ar", "ar", "rtl", "تسجيل الدخول"),
        ("fr-CH, fr;q=0.9", "fr", "ltr", "Se connecter"),
        ("tlh", "en", "ltr", "Sign in"),
    ],
)
def test_the_browser_says_which_language_its_person_reads(client, asked, language, direction, word):
    page = client.get("/account/login/", headers={"Accept-Language": asked}).content.decode()
    assert f'<html lang="{language}" dir="{direction}"' in page
    assert f"<h1>{word}</h1>" in page


def test_a_person_chooses_arabic_and_the_pages_turn_around(page, sign_in, assert_accessible, screenshot):
    page.goto("/account/login/")
    page.locator("header details.menu summary").first.click()
    screenshot(page, "language-menu")
    assert_accessible(page)
    page.click("button[value=ar]")
    assert page.locator("h1").inner_text() == "تسجيل الدخول"
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    brand, tools = (page.locator(name).bounding_box()["x"] for name in (".brand", ".site-tools"))
    assert brand > tools, "the brand stands where a line begins: on the right"
    screenshot(page, "login-ar")
    assert_accessible(page)
    sign_in(page, role="administrator", username="chief")
    for path in ("people/", "people/new/", "account/tokens/", "account/tokens/new/", "audit/", "nowhere"):
        page.goto(f"/{path}")
        screenshot(page, f"{path.strip('/').replace('/', '-')}-ar")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), path
