"""The moderators' page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, QuerySet
from django.forms import Field as FormField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from wildgate.contrib.django import moderation
from wildgate.contrib.django.models import Appeal, Screening, State
from wildgate.contrib.django.shown import shown_fields

if TYPE_CHECKING:
    ScreeningModelAdmin = admin.ModelAdmin[Screening]
else:  # Django's own class takes no parameter
    ScreeningModelAdmin = admin.ModelAdmin

Act = Callable[..., Screening]
Label = str | Promise


def _receive_appeal(screening: Screening, by: object, note: str) -> Screening:
    del by, note  # a complaint is its author's
    return moderation.receive_appeal(screening)


BUTTONS: dict[str, tuple[Label, Act, frozenset[State]]] = {
    "_approve": (_("Approve"), moderation.approve, moderation.APPROVABLE),
    "_reject": (_("Reject"), moderation.reject, moderation.REJECTABLE),
    "_appeal": (_("Record a complaint"), _receive_appeal, moderation.APPEALABLE),
    "_uphold": (_("Uphold the complaint"), partial(moderation.decide_appeal, upheld=True), moderation.APPEALABLE),
    "_dismiss": (_("Reject the complaint"), partial(moderation.decide_appeal, upheld=False), moderation.APPEALABLE),
}
"""Name in the form → label, what it does, the states in which it can be done."""
OF_APPEAL = {"_appeal": Appeal.NONE, "_uphold": Appeal.RECEIVED, "_dismiss": Appeal.RECEIVED}


class QueueFilter(admin.SimpleListFilter):
    """What waits for somebody; the first thing a moderator sees."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The queues beside that of what is held."""
        return [("look", _("drawn for a look")), ("appeal", _("complaints")), ("refused", _("refused")), ("all", _("everything"))]

    def choices(self, changelist: Any) -> Any:
        """What is held comes first, and is what is shown if nothing was chosen."""
        shown = list(super().choices(changelist))
        shown[0]["display"] = State.HELD.label
        return shown

    def queryset(self, request: HttpRequest, queryset: QuerySet[Screening]) -> QuerySet[Screening]:
        """Filter by the queue; opened by its id, any screening is found."""
        chosen: dict[str | None, dict[str, object]] = {
            None: {"state": State.HELD},
            "look": {"drawn": True, "state": State.PUBLISHED},
            "appeal": {"appeal": Appeal.RECEIVED},
            "refused": {"state": State.REFUSED},
        }
        return queryset.filter(**chosen.get(self.value(), {}))


@admin.register(Screening)
class ScreeningAdmin(ScreeningModelAdmin):
    """Held items first: what was written, what was found in it, and buttons to decide."""

    list_display = ("shown_title", "content_type", "state", "decision", "taxa_found", "degraded", "created_time")
    list_filter = (QueueFilter, "degraded", "content_type", "language")
    search_fields = ("object_id", "request_id", "decision_id")
    ordering = ("created_time", "id")
    actions = ("approve_chosen", "reject_chosen")
    fields = ("text_found", "why", "object_link", "note")
    readonly_fields = ("text_found", "why", "object_link")

    class Media:
        """How what was found is marked."""

        css = {"all": ("wildgate/moderation.css",)}  # noqa: RUF012 as Django wants it

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Screenings are made by saving what is screened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Screening | None = None) -> bool:
        """They are the record; `wildgate_forget` empties their texts."""
        return False

    @admin.display(description=_("text"))
    def shown_title(self, screening: Screening) -> str:
        """Begin of the text; Django escapes it."""
        return str(screening)[:80]

    @admin.display(description=_("decision"), ordering="score")
    def decision(self, screening: Screening) -> str:
        """Action and score."""
        return screening.action if screening.score is None else f"{screening.action} {screening.score:.2f}"

    @admin.display(description=_("taxa"))
    def taxa_found(self, screening: Screening) -> str:
        """What seems to be offered."""
        return ", ".join(screening.taxa) or "–"

    @admin.display(description=_("text"))
    def text_found(self, screening: Screening) -> SafeString:
        """The seller's text with what was found."""
        context = {"fields": list(shown_fields(screening)), "screening": screening}
        return mark_safe(render_to_string("admin/wildgate/screening/text.html", context))  # noqa: S308 a template, which escapes

    @admin.display(description=_("why"))
    def why(self, screening: Screening) -> SafeString:
        """Reason, matches, and what happened since."""
        context = {"screening": screening, "reports": screening.reports.all()}
        return mark_safe(render_to_string("admin/wildgate/screening/why.html", context))  # noqa: S308 a template, which escapes

    @admin.display(description=_("object"))
    def object_link(self, screening: Screening) -> SafeString | str:
        """The object itself: its page in the shop, else in the admin."""
        subject = screening.subject
        if subject is None:
            return "–"
        return format_html('<a href="{}">{}</a>', _address(subject), subject) if _address(subject) else str(subject)

    @admin.action(description=_("Approve"), permissions=["change"])
    def approve_chosen(self, request: HttpRequest, queryset: QuerySet[Screening]) -> None:
        """Approve all that were chosen."""
        self._decide_all(request, queryset, "_approve")

    @admin.action(description=_("Reject"), permissions=["change"])
    def reject_chosen(self, request: HttpRequest, queryset: QuerySet[Screening]) -> None:
        """Reject all that were chosen."""
        self._decide_all(request, queryset, "_reject")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the buttons that can be pressed."""
        screening = self.get_object(request, object_id)
        buttons = _buttons(screening) if screening and self.has_change_permission(request, screening) else []
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "wildgate_buttons": buttons, "title": _("Screening")}
        )

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> FormField | None:
        """Leave room for the buttons."""
        if db_field.name == "note":
            options["widget"] = AdminTextareaWidget(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Screening, form: ModelForm[Screening], change: bool) -> None:  # noqa: FBT001 theirs
        """Do what was pressed, and nothing else."""
        for name in BUTTONS.keys() & request.POST.keys():
            self._decide(request, obj, name, form.cleaned_data.get("note", ""))

    def response_change(self, request: HttpRequest, obj: Screening) -> HttpResponse:
        """Go back to the queue."""
        return HttpResponseRedirect(reverse("admin:wildgate_screening_changelist"))

    def _decide(self, request: HttpRequest, screening: Screening, name: str, note: str) -> None:
        label, act, _states = BUTTONS[name]
        try:
            act(screening, by=request.user, note=note)
        except (moderation.ModerationError, ValidationError) as error:
            told = error.messages[0] if isinstance(error, ValidationError) else str(error)
            messages.error(request, f"{screening}: {told}")
        else:
            messages.success(request, gettext("%(what)s: %(text)s") % {"what": label, "text": screening})

    def _decide_all(self, request: HttpRequest, queryset: QuerySet[Screening], name: str) -> None:
        for screening in queryset:
            self._decide(request, screening, name, "")


def _buttons(screening: Screening) -> list[tuple[str, Label]]:
    return [
        (name, label)
        for name, (label, _act, states) in BUTTONS.items()
        if screening.state in states and OF_APPEAL.get(name, screening.appeal) == screening.appeal
    ]


def _address(subject: Model) -> str:
    find: Callable[[], str] | None = getattr(subject, "get_absolute_url", None)
    try:
        return find() if find else reverse(f"admin:{subject._meta.app_label}_{subject._meta.model_name}_change", args=[subject.pk])
    except NoReverseMatch:
        return ""
