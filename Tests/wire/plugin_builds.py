"""Builds the plugins in plugins/, all of them in one folder, so that what they share is built once."""
import subprocess

import sluice as harness
from plugins import BUILDS
from sluice import REPOSITORY

SCRATCH = BUILDS / "all"
_built = {}


def library(name):
    """The shared object of a plugin, built as the program under test is; again only where something has changed."""
    configuration = "release" if "/release/" in harness.BINARY else "debug"
    if (name, configuration) not in _built:
        command = ["swift", "build", "--package-path", REPOSITORY / "plugins" / name, "-c", configuration,
                   "--product", name, "--scratch-path", SCRATCH]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode == 0, f"plugins/{name} does not build:\n{done.stdout}\n{done.stderr}"
        _built[name, configuration] = str(SCRATCH / configuration / f"lib{name}.so")
    return _built[name, configuration]
