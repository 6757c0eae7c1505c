// swift-tools-version: 6.2
// A plugin for Sluice: beside FilterAPI it needs Debian's libbrotli.

import PackageDescription

let package = Package(
    name: "brotli",
    products: [.library(name: "brotli", type: .dynamic, targets: ["brotli"])],
    dependencies: [
        // Where Sluice's sources are. They must be those of the Sluice that loads the plugin.
        .package(name: "sluice", path: "../..")
    ],
    targets: [
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlienc", providers: [.apt(["libbrotli-dev"])]),
        .target(
            name: "brotli", dependencies: ["CBrotli", .product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
        .testTarget(
            name: "BrotliTests", dependencies: ["brotli", .product(name: "FilterTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
