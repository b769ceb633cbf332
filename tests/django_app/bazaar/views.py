"""Views as sites write them: with a form, without one, and asynchronous."""

from django import forms
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from bazaar.models import Offer


class OfferForm(forms.ModelForm):
    """All that a seller types."""

    class Meta:
        model = Offer
        fields = ("title", "body", "material", "is_public")


def post(request):
    """Create an offer with a form."""
    form = OfferForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return JsonResponse({"id": form.save().pk})
    return render(request, "offer.html", {"form": form})


def post_and_go_there(request):
    """Create an offer and go to its page."""
    offer = Offer.objects.create(title=request.POST["title"])
    return redirect(offer.get_absolute_url())


def post_without_form(request):
    """Create an offer from what was sent."""
    offer = Offer.objects.create(title=request.POST["title"])
    return HttpResponse(str(offer.pk))


async def post_async(request):
    """Create an offer asynchronously."""
    offer = await Offer.objects.acreate(title=request.POST["title"])
    return JsonResponse({"id": offer.pk, "public": offer.is_public})
