// swift-tools-version: 6.2
// A plugin for tests: it does whatever a filter must not do, at whatever place.

import PackageDescription

let package = Package(
    name: "misbehaving",
    products: [.library(name: "misbehaving", type: .dynamic, targets: ["misbehaving"])],
    dependencies: [.package(name: "sluice", path: "../../../..")],
    targets: [
        .target(
            name: "misbehaving", dependencies: [.product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)])
    ],
    swiftLanguageModes: [.v6]
)
