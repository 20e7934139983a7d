"""Results that must stay when room is made."""

import pytest

from hevesy.web.site.store.keeping import signed_and_newest
from hevesy.web.site.store.models import Administration, Course, Patient, Result, Signature

pytestmark = pytest.mark.django_db


def test_the_signed_and_the_newest_stay_and_what_others_replaced_may_go(django_user_model):
    person = django_user_model.objects.create_user("somebody", role="physicist")
    course = Course.objects.create(patient=Patient.objects.create(identifier="P1"), name="Course", created_by=person)
    results = {}
    for cycle in (1, 2):
        administration = Administration.objects.create(course=course, cycle=cycle)
        for name in ("signed", "replaced", "newest"):
            mark = f"{cycle} {name}"
            results[mark] = Result.objects.create(administration=administration, fingerprint=mark, made_by=person)
    Signature.objects.create(result=results["1 signed"], version=1, person=person, sha256="0" * 64)
    marks = frozenset({*results, "of no result"})
    assert signed_and_newest(marks) == {"1 signed", "1 newest", "2 newest"}
