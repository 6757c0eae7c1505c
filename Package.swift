// swift-tools-version: 6.2
// The walls of Sluice are its targets: a dependency that is not named here cannot be imported.

import PackageDescription

/// What every Swift target is built with. Warnings are errors, each unsafe operation is marked as such.
let common: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    // Exclusivity is checked dynamically in debug builds and in every test run; a release build does not pay for it.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// For what runs in production: libraries that are linked unasked and that nobody here uses cost memory in each process.
/// A file that needs one of them imports it by name.
let lean: [SwiftSetting] =
    common + [
        .unsafeFlags([
            "-Xfrontend", "-disable-implicit-string-processing-module-import",
            "-Xfrontend", "-disable-implicit-concurrency-module-import",
        ])
    ]

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["sluice"]),  // not in the SDK
        // Plugins link this one: the host exports the same symbols, so both share one set of types.
        // FilterAsync is in it too, and not in the host: who has no asynchronous filter does not pay for Swift's tasks.
        .library(name: "FilterAPI", type: .dynamic, targets: ["FilterAPI", "FilterAsync"]),
        // For tests of filters.
        .library(name: "FilterTesting", targets: ["FilterTesting"]),
    ],
    targets: [
        // What authors of plugins build against, and what that needs; scripts/install makes the SDK of these alone.
        .target(name: "CPluginNote"),
        .target(name: "FilterAPI", dependencies: ["CPluginNote"], swiftSettings: lean),
        // Without a name of its own in it, a shared library is not known again by those that need it.
        .target(
            name: "FilterAsync", dependencies: ["FilterAPI"], swiftSettings: common,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-soname=libFilterAPI.so"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "Config", dependencies: ["FilterAPI", "CYAML"], swiftSettings: lean),
        // FilterAsync, so that in a test it and the filter have one FilterAPI: else no `as Fault` of the filter's would hold.
        .target(name: "FilterTesting", dependencies: ["FilterAPI", "FilterAsync", "Config"], swiftSettings: common),

        // The rest is not in the SDK: from here
        .target(name: "CLinux"),
        .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),

        .target(
            name: "Filters", dependencies: ["FilterAPI", "CRE2", "COpenSSL", "CZlib", "CNGHTTP2"], swiftSettings: lean),
        .target(name: "Engine", dependencies: ["CLinux"], swiftSettings: lean),
        .target(
            name: "Host",
            dependencies: ["FilterAPI", "Filters", "Engine", "Config", "CCares", "CLinux"],
            swiftSettings: lean),
        .executableTarget(
            name: "sluice",
            dependencies: ["Host"],
            swiftSettings: lean,
            linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]),
        .executableTarget(
            name: "MicroBench", dependencies: ["FilterAPI", "FilterAsync", "Filters", "FilterTesting", "Host"],
            swiftSettings: common),

        .target(
            name: "FuzzTargets", dependencies: ["FilterAPI", "Filters", "FilterTesting", "Config"],
            path: "Tests/Fuzz/Targets", swiftSettings: common),

        .testTarget(name: "FilterAPITests", dependencies: ["FilterAPI"], swiftSettings: common),
        .testTarget(
            name: "FiltersTests", dependencies: ["Filters", "FilterTesting", "FuzzTargets", "COpenSSL", "CZlib"],
            swiftSettings: common),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "CLinux"], swiftSettings: common),
        .testTarget(
            name: "ConfigTests", dependencies: ["Config", "FilterAPI"], exclude: ["Golden"], swiftSettings: common),
        .testTarget(
            name: "HostTests", dependencies: ["Host", "FilterAsync", "FilterTesting", "Config", "Engine", "FilterAPI"],
            swiftSettings: common),
        // to here.
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// Needs libFuzzer, which comes with the compiler but is no module; scripts/fuzz asks for it and links it.
if Context.environment["SLUICE_FUZZ"] != nil {
    package.targets += [
        .target(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
        .executableTarget(
            name: "Fuzz", dependencies: ["FuzzTargets", "CLibFuzzer"], path: "Tests/Fuzz/Driver",
            swiftSettings: common),
    ]
}
