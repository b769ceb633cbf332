"""Spirit's own addresses, and Django's admin for moderators."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("spirit.urls")),
]
