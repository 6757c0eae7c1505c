// swift-tools-version: 6.2
// A plugin for Sluice: a filter that waits. The product FilterAPI has FilterAsync in it.

import PackageDescription

let package = Package(
    name: "ext_authz",
    products: [.library(name: "ext_authz", type: .dynamic, targets: ["ext_authz"])],
    dependencies: [
        // Where Sluice's sources are. They must be those of the Sluice that loads the plugin.
        .package(name: "sluice", path: "../..")
    ],
    targets: [
        .target(
            name: "ext_authz", dependencies: [.product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]),
        .testTarget(
            name: "ExtAuthzTests", dependencies: ["ext_authz", .product(name: "FilterTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
