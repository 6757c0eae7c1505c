import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import sluice as harness  # noqa: E402
from certificates import throw_away  # noqa: E402
from origin import Origin, refused_port, serve  # noqa: E402


def pytest_configure(config):
    if os.environ.get("WIRE_PROXY", "sluice") == "sluice" and not os.access(harness.BINARY, os.X_OK):
        raise pytest.UsageError(f"no program at {harness.BINARY}: build it, or set SLUICE_BIN")


@pytest.fixture
def sluice():
    """Starts proxies: `sluice(config_text)`. Each must be alive at the end of the test unless the test stopped it."""
    running = []

    def start(*args, **kwargs):
        proxy = harness.Sluice(*args, **kwargs)
        running.append(proxy)
        return proxy

    yield start
    failure = None
    for proxy in running:
        try:
            proxy.finish()
        except AssertionError as error:
            failure = error
    if failure:
        raise failure


@pytest.fixture
def origin():
    """Starts origins: `origin(script)`; without a script it answers every request with 200 and "ok"."""
    running = []

    def start(script=serve, **kwargs):
        one = Origin(script, **kwargs)
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def refused():
    """The endpoint of a port on which nobody listens, now or later in the test."""
    holder, endpoint = refused_port()
    yield endpoint
    holder.close()


@pytest.fixture(scope="session")
def _throw_away(tmp_path_factory):
    return throw_away(tmp_path_factory.mktemp("throw-away"))


@pytest.fixture
def certificates(tmp_path, _throw_away):
    """The folder `certificates` in `tmp_path`, as the examples and the manuals name it; not to be written to."""
    (tmp_path / "certificates").symlink_to(_throw_away)
    return tmp_path / "certificates"
