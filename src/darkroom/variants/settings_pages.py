"""The page of what a person sets once: the slots of a batch, Pocket Mode, the e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from darkroom.errors import Invalid
from darkroom.variants import forms, presets, pricing, slots, workflows
from darkroom.variants.forms import Row
from darkroom.variants.models import Workflow
from darkroom.web.auth import current_user, login_required
from darkroom.web.services import services

pages = Blueprint(
    "variants_settings", __name__, url_prefix="/variants/settings", template_folder="templates"
)


@dataclass(frozen=True)
class Given:
    """What the form shows: what is stored, or what was sent and is not stored yet."""

    batch_config: Sequence[Any]
    max_previews: int | str
    is_async_enabled: bool
    notify_by_email: bool

    @classmethod
    def stored(cls, found: Workflow) -> "Given":
        """What the person set before."""
        return cls(
            found.batch_config, found.max_previews, found.is_async_enabled, found.notify_by_email
        )

    @classmethod
    def sent(cls) -> "Given":
        """What the form says."""
        form = request.form
        flags = ("is_async_enabled" in form, "notify_by_email" in form)
        return cls(forms.batch(form), forms.count(form, "max_previews"), *flags)

    @property
    def chosen(self) -> list[str | None]:
        """The services that the slots of a batch ask first; None for the usual one."""
        most = self.max_previews if isinstance(self.max_previews, int) else slots.MOST_SLOTS
        asked = [Row.of(slot).provider for slot in self.batch_config[:most]]
        return [name if name in slots.PROVIDERS else None for name in asked]


@pages.get("")
@login_required
def show() -> ResponseReturnValue:
    """The settings as they are."""
    with services().database.session() as db:
        given = Given.stored(workflows.of(db, current_user().uuid))
    return _page(given)


@pages.post("")
@login_required
def save() -> ResponseReturnValue:
    """Store the settings; or only move the slots about, as its buttons do without scripts."""
    given, wish = Given.sent(), request.form.get("do", "")
    if wish:
        moved = forms.rearranged(list(given.batch_config), wish)
        return _page(Given(moved, *_rest(given)), is_changed=True)
    try:
        with services().database.session() as db:
            workflows.change(db, current_user(), vars(given))
    except Invalid as error:
        return _page(given, error)
    flash(gettext("Saved."))
    return redirect(url_for("variants_settings.show"), 303)


def _rest(given: Given) -> tuple[int | str, bool, bool]:
    return given.max_previews, given.is_async_enabled, given.notify_by_email


def _page(
    given: Given, error: Invalid | None = None, *, is_changed: bool = False
) -> ResponseReturnValue:
    settings, user = services().settings, current_user()
    with services().database.session() as db:
        usable = presets.usable(db, user.id)
    page = render_template(
        "variants/settings.html",
        given=given,
        rows=[Row.of(slot) for slot in given.batch_config],
        errors={error.field: error.message} if error else {},
        is_changed=is_changed,
        presets=usable,
        variants=slots.VARIANTS,
        most=slots.MOST_SLOTS,
        dollars=pricing.pictures(settings.providers),
        batch=pricing.batch(settings.providers, given.chosen),
        tokens_of=settings.tokens.prices,
        can_mail=settings.alerts.smtp_host is not None and user.email is not None,
    )
    return page, error.status if error else 200
