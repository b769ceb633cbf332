"""Wildgate for Django: what sellers save is scored, and published, held for a moderator or refused.

Put `wildgate.contrib.django` into INSTALLED_APPS, its middleware into MIDDLEWARE, a dictionary
WILDGATE into the settings, and run `manage.py migrate`. `docs/django.md` of the repository tells
the rest. Needs the extra `django`.
"""
