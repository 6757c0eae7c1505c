// swift-tools-version: 6.2
// An asynchronous filter, for tests of how types are shared between the program, FilterAsync and a plugin.

import PackageDescription

let package = Package(
    name: "rescue",
    products: [.library(name: "rescue", type: .dynamic, targets: ["rescue"])],
    dependencies: [.package(name: "sluice", path: "../../../..")],
    targets: [
        .target(
            name: "rescue", dependencies: [.product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [
                .strictMemorySafety(), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
