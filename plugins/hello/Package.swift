// swift-tools-version: 6.2
// A plugin for Sluice. Its only dependency is FilterAPI, as the shared library that Sluice's own symbols stand in for.

import PackageDescription

let package = Package(
    name: "hello",
    products: [
        // The name of the file is made from this: libhello.so.
        .library(name: "hello", type: .dynamic, targets: ["hello"])
    ],
    dependencies: [
        // Where Sluice's sources are. They must be those of the Sluice that loads the plugin.
        .package(name: "sluice", path: "../..")
    ],
    targets: [
        .target(
            name: "hello", dependencies: [.product(name: "FilterAPI", package: "sluice")],
            // A plugin runs in the proxy's process: what is unsafe in it should be seen.
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
        .testTarget(
            name: "HelloTests", dependencies: ["hello", .product(name: "FilterTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
