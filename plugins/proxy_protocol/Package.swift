// swift-tools-version: 6.2
// A plugin for Sluice. Its only dependency is FilterAPI, as the shared library that Sluice's own symbols stand in for.

import PackageDescription

let package = Package(
    name: "proxy_protocol",
    products: [.library(name: "proxy_protocol", type: .dynamic, targets: ["proxy_protocol"])],
    dependencies: [
        // Where Sluice's sources are. They must be those of the Sluice that loads the plugin.
        .package(name: "sluice", path: "../..")
    ],
    targets: [
        .target(
            name: "proxy_protocol", dependencies: [.product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
        .testTarget(
            name: "ProxyProtocolTests",
            dependencies: ["proxy_protocol", .product(name: "FilterTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
