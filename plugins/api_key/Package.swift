// swift-tools-version: 6.2
// A plugin for Sluice. Its only dependency is FilterAPI, as the shared library that Sluice's own symbols stand in for.

import PackageDescription

let package = Package(
    name: "api_key",
    products: [.library(name: "api_key", type: .dynamic, targets: ["api_key"])],
    dependencies: [
        // Where Sluice's sources are. They must be those of the Sluice that loads the plugin.
        .package(name: "sluice", path: "../..")
    ],
    targets: [
        .target(
            name: "api_key", dependencies: [.product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
        .testTarget(
            name: "APIKeyTests",
            dependencies: ["api_key", .product(name: "FilterTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
