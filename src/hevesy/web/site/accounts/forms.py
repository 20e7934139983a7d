"""Forms of accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as account
from django import forms
from django.contrib.auth.forms import SetPasswordForm as DjangoSetPasswordForm
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role

_RULES = _(
    "At least 12 characters; not a common password, not a number alone, not your name."
    " A phrase of several words is good."
)


class _Plain:
    """A form whose labels say what its fields are; a placeholder would say it twice and vanish when read for."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, account.LoginForm):  # type: ignore[misc]
    """Signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autofocus"] = True


class SignupForm(_Plain, account.SignupForm):  # type: ignore[misc]
    """Making an account for oneself, where the site lets learners do so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = _RULES


class ChangePasswordForm(_Plain, account.ChangePasswordForm):  # type: ignore[misc]
    """Another password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = _RULES


class ReauthenticateForm(_Plain, account.ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before something that matters."""


class SetPasswordForm(DjangoSetPasswordForm):  # type: ignore[type-arg]  # Django itself cannot be subscripted
    """A first or a new password, by a one-time link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = _("Password")
        self.fields["new_password1"].help_text = _RULES
        self.fields["new_password2"].label = _("The password again")


class FirstStartForm(forms.Form):
    """The first person, who administers the site; in a small place the one who works on patients, too."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        validators=[Person.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_RULES,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("The password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    role = forms.ChoiceField(
        label=_("What you do here"),
        choices=[
            (Role.PHYSICIST, _("Physicist, and administrator")),
            (Role.PHYSICIAN, _("Physician, and administrator")),
            (Role.ADMINISTRATOR, _("Administrator alone: no access to patients")),
        ],
    )

    def clean(self) -> dict[str, Any]:
        """Hold the passwords against each other, and against the policy."""
        given = super().clean() or {}
        first, second = given.get("password1"), given.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        elif first:
            try:
                validate_password(first, Person(username=given.get("username", "")))
            except forms.ValidationError as faults:
                self.add_error("password1", faults)
        return given


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an administrator says of a person."""

    class Meta:
        """The fields that an administrator may set."""

        model = Person
        fields = ("username", "first_name", "last_name", "email", "role", "is_staff")
        labels: ClassVar = {"role": _("Role"), "is_staff": _("Administers the site, too")}
        help_texts: ClassVar = {
            "username": _("Letters, digits and @ . + - _"),
            "role": _("What the person may open."),
            "is_staff": _("Makes accounts and reads the record."),
        }

    def clean_username(self) -> str:
        """Refuse a name that differs from another one only in its capitals."""
        name: str = self.cleaned_data["username"]
        if Person.objects.filter(username__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Somebody has this name already."))
        return name


class TokenForm(forms.Form):
    """A token that a person makes for a program.

    Parameters
    ----------
    person : Person
        Whose roles are offered.
    """

    name = forms.CharField(
        label=_("What it is for"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    days = forms.TypedChoiceField(
        label=_("Holds for"),
        coerce=int,
        initial=30,
        choices=[(7, _("a week")), (30, _("a month")), (90, _("three months")), (365, _("a year"))],
    )
    roles = forms.MultipleChoiceField(label=_("Roles that it has"), widget=forms.CheckboxSelectMultiple)
    reads_only = forms.BooleanField(
        label=_("It reads alone, and changes nothing"), required=False, widget=forms.CheckboxInput
    )

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(role.value, role.label) for role in Role if role in person.roles]
        roles = self.fields["roles"]
        assert isinstance(roles, forms.MultipleChoiceField)
        roles.choices = offered
        roles.initial = [person.role]
