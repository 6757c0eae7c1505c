"""A filter that comes with Sluice, built as a plugin from the same source: what it can do, a plugin can."""
import gzip
import shutil

import pytest

import plugins
import sluice as harness
from builds import sluice_of
from client import get
from configs import http_proxy
from origin import answer
from sluice import REPOSITORY

pytestmark = pytest.mark.xdist_group("plugins")

PACKAGE = """// swift-tools-version: 6.2
import PackageDescription
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"), .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(), .treatAllWarnings(as: .error),
]
let package = Package(
    name: "hello",
    products: [.library(name: "hello", type: .dynamic, targets: ["Copy"])],
    dependencies: [.package(name: "sluice", path: "%s")],
    targets: [
        .systemLibrary(name: "CZlibCopy", pkgConfig: "zlib"),
        .target(
            name: "Copy", dependencies: ["CZlibCopy", .product(name: "FilterAPI", package: "sluice")],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
"""
# Its folder, its types, its name, and what it shares with other filters.
GZIP = ("Gzip", ["Gzip"], "gzip", ["Format/ByteText.swift"])
ENTRY = """import FilterAPI

enum Copy: Plugin {
    static let filters: [any Filter.Type] = [%s]
}

@c(sluice_plugin)
public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
    unsafe PluginAPI.answer(question, answer, for: Copy.self)
}
"""


def plugin(folder, types, name, helpers):
    """Sources/Filters/FOLDER as a package outside of Sluice's own. Only names are others: there is a filter of that name
    already, and a module CZlib."""
    package = plugins.BUILDS / f"{name}-copy/package"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(REPOSITORY / "Sources/Filters" / folder, package / "Sources/Copy")
    for helper in helpers:
        shutil.copy(REPOSITORY / "Sources/Filters" / helper, package / "Sources/Copy")
    for source in (package / "Sources/Copy").iterdir():
        source.write_text(source.read_text().replace(f'id: "{name}"', f'id: "{name}_copy"').replace(
            "import CZlib", "import CZlibCopy"))
    shutil.copytree(REPOSITORY / "Sources/CZlib", package / "Sources/CZlibCopy")
    modules = package / "Sources/CZlibCopy/module.modulemap"
    modules.write_text(modules.read_text().replace("module CZlib ", "module CZlibCopy "))
    (package / "Sources/Copy/Entry.swift").write_text(ENTRY % ", ".join(f"{one}.self" for one in types))
    (package / "Package.swift").write_text(PACKAGE % REPOSITORY)
    return plugins._build(package, "release", plugins.BUILDS / f"{name}-copy/build")


def test_gzip_as_a_plugin_does_what_it_does_as_a_filter_of_sluices_own(sluice, origin, monkeypatch):
    monkeypatch.setattr(harness, "BINARY", sluice_of("release"))
    text = b"What a built-in filter can do, a plugin can. " * 20_000

    def script(peer):
        while peer.read_request():
            if not peer.send(answer(text, headers=[("Content-Type", "text/plain")])):
                return
    routes = [{"match": {"path": "/plain"}, "to": "app", "filters": {"gzip_copy": {"enabled": False}}}, {"to": "app"}]

    def config(**settings):
        return {**http_proxy(upstream.endpoint, filters=[{"gzip_copy": settings}], routes=routes),
                "plugins": [str(library)], "admin": "127.0.0.1:0"}
    library, upstream = plugin(*GZIP), origin(script)
    proxy = sluice(config(level=6))

    squeezed = get(proxy.address(), "/", headers=[("Accept-Encoding", "gzip")])
    assert squeezed.get("content-encoding") == "gzip" and gzip.decompress(squeezed.body) == text
    left = get(proxy.address(), "/plain", headers=[("Accept-Encoding", "gzip")])
    assert left.get("content-encoding") is None and left.body == text
    stats = get(proxy.address("admin"), "/stats?filter=gzip_copy", host="localhost").body.decode()
    assert "http.inbound.gzip_copy.compressed: 1\n" in stats, stats
    proxy.reload(config(level=11), expect="refused")
