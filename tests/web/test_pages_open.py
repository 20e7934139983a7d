import pytest

pytestmark = pytest.mark.django_db


def test_the_anonymous_are_shown_where_to_sign_in(client):
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")


@pytest.mark.parametrize(("role", "status"), [("physicist", 200), ("physician", 200), ("learner", 403)])
def test_the_worklist_is_for_those_who_work_on_patients(client, django_user_model, role, status):
    client.force_login(django_user_model.objects.create_user("somebody", role=role))
    assert client.get("/").status_code == status
