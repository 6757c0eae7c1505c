"""The builds of the program, which are made before the tests are run."""
import os

import pytest

from sluice import REPOSITORY


def sluice_of(configuration):
    """The program built as `debug` or `release`; skips the test where there is none, but fails it in scripts/test."""
    binary = REPOSITORY / ".build" / configuration / "sluice"
    if not binary.exists():
        _absent(f"there is no {configuration} build: swift build -c {configuration} --product sluice")
    return str(binary)


def require_runtime(configuration):
    """The library for asynchronous plugins, of the same build; skips or fails as `sluice_of` does."""
    if not (REPOSITORY / ".build" / configuration / "runtime/libFilterAPI.so").exists():
        _absent(f"there is no library for plugins: scripts/lib/runtime {configuration}")


def _absent(words):
    (pytest.fail if os.environ.get("WIRE_REQUIRE_BUILDS") else pytest.skip)(words)
