"""Addresses of accounts."""

from django.urls import include, path

from hevesy.web.site.accounts import token_views, views

urlpatterns = [
    path("account/first-start/<str:token>/", views.first_start, name="first_start"),
    path("account/link/<str:token>/", views.set_password, name="set_password"),
    path("account/tokens/", token_views.tokens_page, name="tokens"),
    path("account/tokens/new/", token_views.new_token, name="new_token"),
    path("account/tokens/<int:pk>/revoke/", token_views.revoke_token, name="revoke_token"),
    path("account/", include("allauth.urls")),
    path("people/", views.people_page, name="people"),
    path("people/new/", views.new_person, name="new_person"),
    path("people/<int:pk>/", views.person_page, name="person"),
    path("people/<int:pk>/link/", views.link_for_person, name="link_for_person"),
    path("people/<int:pk>/<slug:act>/", views.act_on_person, name="act_on_person"),
]
