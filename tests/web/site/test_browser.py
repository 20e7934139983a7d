"""The fixtures of the browser tests themselves: a real browser signs in on a real site."""


def test_a_person_signs_in_by_the_page(page, sign_in, screenshot):
    sign_in(page, role="physicist")
    assert page.locator("h1").inner_text() == "Worklist"
    assert screenshot(page, "worklist").stat().st_size > 1000


def test_axe_finds_what_is_wrong(page, live, assert_accessible):
    page.goto("/account/login/")
    page.evaluate("document.body.innerHTML = '<main><input type=text></main>'")
    try:
        assert_accessible(page)
    except AssertionError as error:
        assert "label" in str(error)
    else:
        raise AssertionError("an input without a label went unseen")
