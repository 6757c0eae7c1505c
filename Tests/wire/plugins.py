"""Builds plugins: the one in plugins/hello, and others that a proxy must refuse."""
import ctypes
import pathlib
import shutil
import subprocess

from sluice import REPOSITORY

BUILDS = REPOSITORY / ".build-plugins"
_HELLO = REPOSITORY / "plugins/hello"


def _build(package, configuration, scratch):
    command = ["swift", "build", "--package-path", package, "-c", configuration, "--scratch-path", scratch]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{package} does not build:\n{done.stdout}\n{done.stderr}"
    return pathlib.Path(scratch) / configuration / "libhello.so"


def hello(configuration):
    """plugins/hello, as its author builds it; built again only where something has changed."""
    return _build(_HELLO, configuration, BUILDS / "hello")


def with_own_filter_api(_):
    """The same filter in a package that compiles FilterAPI into the shared object, as a plugin must not."""
    package = BUILDS / "own-copy/package"
    shutil.rmtree(package, ignore_errors=True)
    for name, sources in (("FilterAPI", REPOSITORY / "Sources/FilterAPI"), ("hello", _HELLO / "Sources/hello")):
        shutil.copytree(sources, package / "Sources" / name)
    (package / "Package.swift").write_text("""// swift-tools-version: 6.2
import PackageDescription
let settings: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes"), .enableUpcomingFeature("ExistentialAny")]
let package = Package(
    name: "hello",
    products: [.library(name: "hello", type: .dynamic, targets: ["hello"])],
    targets: [
        .target(name: "FilterAPI", swiftSettings: settings),
        .target(name: "hello", dependencies: ["FilterAPI"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
""")
    return _build(package, "debug", BUILDS / "own-copy/build")


class Handshake(ctypes.Structure):
    """PluginHandshake of FilterAPI."""
    _fields_ = [("version", ctypes.c_uint32), ("compiler", ctypes.c_uint32), ("layout", ctypes.c_uint64)]


def handshake_of(library):
    """What a plugin answers to the first question."""
    answer = Handshake()
    assert ctypes.CDLL(str(library)).sluice_plugin(ctypes.c_uint32(0), ctypes.byref(answer)) == 0
    return answer


def in_c(folder, body, entry="sluice_plugin"):
    """A shared object whose entry point is written in C: `body` sees `question` and `answer`."""
    source, library = pathlib.Path(folder) / "plugin.c", pathlib.Path(folder) / "libplugin.so"
    source.write_text(f"""#include <stdint.h>
struct handshake {{ uint32_t version, compiler; uint64_t layout; }};
int32_t {entry}(uint32_t question, void *answer) {{ {body} }}
""")
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source], check=True)
    return library


def answering(folder, handshake, **changes):
    """A shared object that says of itself what `handshake` says, but for `changes`."""
    numbers = {name: changes.get(name, getattr(handshake, name)) for name, _ in Handshake._fields_}
    return in_c(folder, "if (question != 0) return 1; *(struct handshake *)answer = (struct handshake){{ {version}u, "
                        "{compiler}u, {layout}ull }}; return 0;".format(**numbers))
