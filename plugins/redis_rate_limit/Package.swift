// swift-tools-version: 6.2
// A plugin for Sluice: beside FilterAPI it needs Debian's libhiredis, and a hash of OpenSSL's, which Sluice has loaded anyhow.

import PackageDescription

let package = Package(
    name: "redis_rate_limit",
    products: [.library(name: "redis_rate_limit", type: .dynamic, targets: ["redis_rate_limit"])],
    dependencies: [
        // Where Sluice's sources are. They must be those of the Sluice that loads the plugin.
        .package(name: "sluice", path: "../..")
    ],
    targets: [
        // Not by pkg-config: the flag that it adds is one that packages may not have, and the header is found without.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev", "libssl-dev"])]),
        .target(
            name: "redis_rate_limit", dependencies: ["CHiredis", .product(name: "FilterAPI", package: "sluice")],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
        .testTarget(
            name: "RedisRateLimitTests",
            dependencies: ["redis_rate_limit", .product(name: "FilterTesting", package: "sluice")]),
    ],
    swiftLanguageModes: [.v6]
)
