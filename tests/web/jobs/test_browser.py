"""The pages of jobs in a real browser: progress that comes by itself, and a job that is cancelled."""

import pytest

from hevesy.web.site.jobs import claims, queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_is_followed_and_cancelled_in_the_page(page, sign_in, assert_accessible, screenshot):
    person = sign_in(page)
    job = queue.submit("test.endless", {}, person)
    held = claims.claim("worker")
    page.goto(f"/jobs/{job.pk}/")
    for fraction, step in ((0.25, "reading 3 series"), (0.5, "dose of cycle 1")):
        held.report(fraction, step, f"12:00:00 {step}\n12:00:01 still at it")
        page.get_by_text(f"{int(100 * fraction)}%", exact=True).wait_for(timeout=4000)
        assert page.get_by_role("status").text_content() == f"Running: {step} {int(100 * fraction)}%"
    assert page.get_by_role("progressbar").get_attribute("value") == "0.500"
    assert_accessible(page)
    screenshot(page, "job-running")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Being cancelled").wait_for(timeout=4000)
    held.end_cancelled()
    page.get_by_text("Cancelled by somebody.").first.wait_for(timeout=4000)
    assert page.get_by_role("button", name="Cancel").count() == 0
    assert_accessible(page)
    screenshot(page, "job-cancelled")


def test_where_events_do_not_come_through_the_page_asks(page, sign_in):
    person = sign_in(page)
    job = queue.submit("test.endless", {}, person)
    held = claims.claim("worker")
    page.route("**/events", lambda route: route.fulfill(status=502))
    page.goto(f"/jobs/{job.pk}/")
    held.report(0.75, "nearly there", "")
    page.get_by_text("75%", exact=True).wait_for(timeout=6000)


def test_the_list_shows_each_state(page, sign_in, assert_accessible, screenshot):
    person = sign_in(page)
    for n in range(3):
        queue.submit("test.echo", {"n": n}, person)
    claims.claim("worker").report(0.4, "half way", "")
    claims.claim("worker").fail("The image has no decay correction.")
    page.goto("/jobs/")
    page.get_by_text("40%").wait_for()
    assert_accessible(page)
    screenshot(page, "jobs")
