"""Tells sellers on the page, and answers a refusal that no form caught."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.apps import apps
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from wildgate.contrib.django import screening
from wildgate.contrib.django.current import request_at_hand

UNPROCESSABLE = 422
LED = "_wildgate_led"
"""Where a request carries which redirects lead elsewhere."""
TOLD = "_wildgate_told"
"""Where a request carries what its seller is told: a topic and its first post, say, are held with the same words."""

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class WildgateMiddleware:
    """Knows the request at hand, for messages, and turns ListingRefusedError into 422 with the notice.

    Put it last: after sessions, locale, authentication and messages. Serves sync and async views.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer as the view does."""
        if self._is_async:
            return self._answer_async(request)
        token = request_at_hand.set(request)
        try:
            return _led(request, cast("HttpResponseBase", self._get_response(request)))
        finally:
            request_at_hand.reset(token)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        token = request_at_hand.set(request)
        try:
            answer: HttpResponseBase = await self._get_response(request)  # type: ignore[misc]
            return _led(request, answer)
        finally:
            request_at_hand.reset(token)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer a refusal; by now the view's transaction is rolled back, so the refusal is kept anew."""
        if not isinstance(exception, screening.ListingRefusedError):
            return None
        exception.keep_again()
        notice = exception.messages[0]
        if "application/json" in request.headers.get("accept", ""):
            return JsonResponse({"error": "refused", "notice": notice}, status=UNPROCESSABLE)
        return HttpResponse(notice, status=UNPROCESSABLE, content_type="text/plain; charset=utf-8")


def send_instead(own_page: str, page: str) -> None:
    """Let this request's redirect to an object's own page, which is hidden with it, lead to another."""
    request = request_at_hand.get()
    if request is not None:
        request.__dict__.setdefault(LED, {})[own_page] = page


def tell_seller(notice: str) -> None:
    """Show a notice on the seller's next page, once a request, if this runs within one of a site that has messages."""
    request = request_at_hand.get()
    if request is None or not apps.is_installed("django.contrib.messages"):
        return
    from django.contrib import messages  # noqa: PLC0415 only where it is installed

    told: set[str] = request.__dict__.setdefault(TOLD, set())
    if notice not in told:
        told.add(notice)
        messages.warning(request, notice, fail_silently=True)


def _led(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    page = request.__dict__.get(LED, {}).get(response.headers.get("Location"))
    if page is not None:
        response.headers["Location"] = page
    return response
