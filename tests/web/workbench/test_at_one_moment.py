"""What two people ask for at the same moment is done one after the other, whatever the database."""

import threading

import pytest
from django.db import connections, transaction

from hevesy.web.site.store.models import Administration, Course, Patient, Study
from hevesy.web.workbench.acts import begin_administration

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_cycles_of_a_course_that_are_begun_at_one_moment_are_two(django_user_model):
    person = django_user_model.objects.create_user("physicist", role="physicist")
    patient = Patient.objects.create(identifier="P1")
    studies = [Study.objects.create(uid="1.2.3", patient=patient)]
    course = Course.objects.create(patient=patient, name="Lu-177", created_by=person)
    asked = threading.Event()

    def begin():
        asked.set()
        begin_administration(person, patient, studies, course)
        connections.close_all()

    second = threading.Thread(target=begin)
    with transaction.atomic():
        begin_administration(person, patient, studies, course)
        second.start()
        assert asked.wait(30)
        second.join(0.5)
        assert second.is_alive()  # it waits
    second.join(60)
    assert list(Administration.objects.order_by("cycle").values_list("cycle", flat=True)) == [1, 2]
