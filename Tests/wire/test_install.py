"""What scripts/install makes: a program that needs no toolchain, and a package that plugins are built against."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import plugins
import sluice as harness
from builds import sluice_of
from client import get
from sluice import REPOSITORY

pytestmark = pytest.mark.xdist_group("plugins")


@pytest.fixture
def installed(monkeypatch):
    """The prefix of an installation, whose program is the one under test."""
    sluice_of("release")
    prefix = plugins.BUILDS / "installed"
    done = subprocess.run([REPOSITORY / "scripts/install", "--prefix", prefix, "--no-build"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.setattr(harness, "BINARY", str(prefix / "bin/sluice"))
    return prefix


def hello_against(sdk):
    """A copy of plugins/hello somewhere else, built against an installed package."""
    package = plugins.BUILDS / "installed-hello/package"
    package.mkdir(parents=True, exist_ok=True)
    shutil.copytree(REPOSITORY / "plugins/hello", package, dirs_exist_ok=True)
    manifest = (package / "Package.swift").read_text()
    assert manifest.count('path: "../.."') == 1
    (package / "Package.swift").write_text(manifest.replace('path: "../.."', f'path: "{sdk}"'))
    command = ["swift", "build", "-c", "release", "--product", "hello", "--package-path", package,
               "--scratch-path", package.parent / "build"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return package.parent / "build/release/libhello.so"


def test_a_plugin_that_was_built_against_what_is_installed_is_loaded_by_it(sluice, installed):
    library = hello_against(installed / "share/sluice/sdk")
    router = {"router": {"routes": [{"respond": {"status": 200, "body": "ok"}}]}}
    proxy = sluice({"plugins": [str(library)],
                    "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": ["http", "hello", router]}}})
    assert get(proxy.address()).get("x-hello") == "hello from a plugin"
    mapped = {line.split()[-1] for line in pathlib.Path(f"/proc/{proxy.pid}/maps").read_text().splitlines()}
    runtime = {path for path in mapped if os.path.basename(path).startswith(("libswift", "libFoundation"))}
    assert runtime and all(path.startswith(f"{installed}/") for path in runtime), runtime


def test_a_new_filter_is_built_against_what_is_installed_and_loaded_by_it(installed):
    package = plugins.BUILDS / "installed-new"
    for path in package.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (package / ".gitignore").unlink(missing_ok=True)
    for command in (["new", "mine", "--at", package], ["bench", package]):
        done = subprocess.run([installed / "bin/sluice", "filter", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert f'?? "{installed}/share/sluice/sdk"' in (package / "Package.swift").read_text()
    assert re.match(r"mine: [\d.]+ ns per request", done.stdout), done.stdout


def test_an_installation_without_its_library_says_what_is_missing(installed, tmp_path):
    library = plugins.hello("release")
    alone = tmp_path / "bin/sluice"
    alone.parent.mkdir()
    shutil.copy(installed / "bin/sluice", alone)
    (tmp_path / "lib/sluice").mkdir(parents=True)
    for file in (installed / "lib/sluice").iterdir():
        if file.name != "libFilterAPI.so":
            shutil.copy(file, tmp_path / "lib/sluice")
    config = tmp_path / "sluice.yaml"
    config.write_text(f"plugins: [{library}]\nlisteners: {{}}\n")
    done = subprocess.run([alone, "check", config], capture_output=True, text=True)
    assert done.returncode == 1 and "libFilterAPI.so is not there, which comes with Sluice" in done.stdout, done
