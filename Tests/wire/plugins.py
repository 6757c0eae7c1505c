"""Builds plugins: the one in plugins/hello, one that misbehaves, and others that a proxy must refuse."""
import ctypes
import dataclasses
import pathlib
import shutil
import struct
import subprocess

from sluice import REPOSITORY

BUILDS = REPOSITORY / ".build-plugins"
_HELLO = REPOSITORY / "plugins/hello"
_MISBEHAVING = REPOSITORY / "Tests/wire/plugins/misbehaving"


def _build(package, configuration, scratch, name="hello"):
    command = ["swift", "build", "--package-path", package, "-c", configuration, "--scratch-path", scratch]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{package} does not build:\n{done.stdout}\n{done.stderr}"
    return pathlib.Path(scratch) / configuration / f"lib{name}.so"


def hello(configuration):
    """plugins/hello, as its author builds it; built again only where something has changed."""
    return _build(_HELLO, configuration, BUILDS / "all")


def rescue(configuration):
    """An asynchronous filter; it needs the library that scripts/lib/runtime links."""
    package = REPOSITORY / "Tests/wire/packages/rescue"
    return _build(package, configuration, BUILDS / "rescue", "rescue")


def misbehaving(configuration):
    """A filter that does what its settings say that it must not do."""
    return _build(_MISBEHAVING, configuration, BUILDS / "misbehaving", "misbehaving")


def with_own_filter_api(_):
    """The same filter in a package that compiles FilterAPI into the shared object, as a plugin must not."""
    package = BUILDS / "own-copy/package"
    shutil.rmtree(package, ignore_errors=True)
    for name, sources in (("CPluginNote", REPOSITORY / "Sources/CPluginNote"),
                          ("FilterAPI", REPOSITORY / "Sources/FilterAPI"), ("hello", _HELLO / "Sources/hello")):
        shutil.copytree(sources, package / "Sources" / name)
    (package / "Package.swift").write_text("""// swift-tools-version: 6.2
import PackageDescription
let settings: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes"), .enableUpcomingFeature("ExistentialAny")]
let package = Package(
    name: "hello",
    products: [.library(name: "hello", type: .dynamic, targets: ["hello"])],
    targets: [
        .target(name: "CPluginNote"),
        .target(name: "FilterAPI", dependencies: ["CPluginNote"], swiftSettings: settings),
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


@dataclasses.dataclass
class Note:
    """What a plugin's file says that it was built with."""
    version: int
    compiler: int
    digest: str
    toolchain: str

    def changed(self, **changes):
        return dataclasses.replace(self, **changes)


def note_of(library):
    """The first note of Sluice in a shared object."""
    data = pathlib.Path(library).read_bytes()
    at = data.index(b"\7\0\0\0", 0)
    while data[at + 12:at + 20] != b"Sluice\0\0":
        at = data.index(b"\7\0\0\0", at + 1)
    size, = struct.unpack_from("<I", data, at + 4)
    version, compiler, digest = struct.unpack_from("<II16s", data, at + 20)
    return Note(version, compiler, digest.decode(), data[at + 44:at + 20 + size].rstrip(b"\0").decode())


def in_c(folder, body, entry="sluice_plugin", note=None, flags=(), more="", name="libplugin.so", renamed=()):
    """A shared object whose entry point is written in C: `body` sees `question` and `answer`, and `note` is its note.

    `renamed` has pairs of symbols: C cannot write those of Swift.
    """
    source, library = pathlib.Path(folder) / "plugin.c", pathlib.Path(folder) / name
    words = "" if note is None else f"""
static const struct {{ uint32_t sizes[3]; char name[8]; uint32_t version, compiler; char digest[16], toolchain[96]; }} note
    __attribute__((section(".note.sluice"), used, aligned(4))) = {{
        {{7, 120, 1}}, "Sluice", {note.version}u, {note.compiler}u, "{note.digest}", "{note.toolchain}" }};"""
    source.write_text(f"""#include <stdint.h>
struct handshake {{ uint32_t version, compiler; uint64_t layout; }};{words}
{more}
int32_t {entry}(uint32_t question, void *answer) {{ {body} }}
""")
    parts = source.with_suffix(".o")
    subprocess.run(["gcc", "-c", "-fPIC", "-Wall", "-Werror", "-o", parts, source], check=True)
    for old, new in renamed:
        subprocess.run(["objcopy", "--redefine-sym", f"{old}={new}", parts], check=True)
    subprocess.run(["gcc", "-shared", "-o", library, parts, *flags], check=True)
    parts.unlink()
    source.unlink()
    return library


def answering(folder, like, **changes):
    """A shared object that says of itself what the plugin `like` says, but for `changes`."""
    handshake = handshake_of(like)
    numbers = {name: changes.get(name, getattr(handshake, name)) for name, _ in Handshake._fields_}
    body = ("if (question != 0) return 1; *(struct handshake *)answer = (struct handshake){{ {version}u, "
            "{compiler}u, {layout}ull }}; return 0;".format(**numbers))
    return in_c(folder, body, note=note_of(like))
