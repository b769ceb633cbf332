"""Serve a Django site on a free port, as `runserver` does, and say where: python serve_django.py fill_shop.

The folder of the site is on PYTHONPATH, its settings in DJANGO_SETTINGS_MODULE; the module named
is asked to `fill()` the new database.
"""

import sys
from importlib import import_module
from socketserver import ThreadingMixIn

import django
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from django.core.wsgi import get_wsgi_application


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


def main() -> None:
    """Make the database, fill it, and serve until ended."""
    django.setup()
    call_command("migrate", verbosity=0)
    import_module(sys.argv[1]).fill()
    server = Server(("127.0.0.1", 0), WSGIRequestHandler, ipv6=False)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 who started it reads it
    server.serve_forever()


if __name__ == "__main__":
    main()
