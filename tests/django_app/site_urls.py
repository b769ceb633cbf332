"""Addresses of the site."""

from bazaar import views
from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("post/", views.post),
    path("post-and-go-there/", views.post_and_go_there),
    path("post-without-form/", views.post_without_form),
    path("post-async/", views.post_async),
]
