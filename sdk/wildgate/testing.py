"""A Wildgate service for tests: real gRPC on this machine, scripted answers, nothing to install.

    def test_an_ivory_listing_is_held(wildgate_fake):
        wildgate_fake.when("ivory", "review")
        with wildgate_fake.client() as client:
            assert post_listing(client, title="Ivory bangle") == "held"

The fixture `wildgate_fake` comes with the package, by its pytest entry point. Without pytest use
`with FakeWildgate() as fake:`. gRPC is loaded when the first fake is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wildgate._fake import FakeWildgate

__all__ = ["FakeWildgate"]


def __getattr__(name: str) -> object:
    if name == "FakeWildgate":
        from wildgate._fake import FakeWildgate  # noqa: PLC0415 it loads gRPC

        return FakeWildgate
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


try:
    import pytest
except ImportError:  # the fake serves any test runner
    pass
else:

    def pytest_configure(config: pytest.Config) -> None:
        """Declare the marker `wildgate`."""
        config.addinivalue_line("markers", "wildgate(*scenarios): scenario files that wildgate_fake plays, relative to the test's own file")

    @pytest.fixture
    def wildgate_fake(request: pytest.FixtureRequest) -> Iterator[FakeWildgate]:
        """Yield a fake Wildgate service that allows everything until a marker `wildgate(scenario)` or the test says otherwise."""
        from wildgate._fake import FakeWildgate  # noqa: PLC0415 it loads gRPC

        with FakeWildgate() as fake:
            for marker in request.node.iter_markers("wildgate"):
                for scenario in marker.args:
                    fake.play(request.path.parent / scenario)
            yield fake
