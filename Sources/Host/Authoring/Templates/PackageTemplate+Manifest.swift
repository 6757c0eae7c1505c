extension PackageTemplate {
    /// Package.swift.
    var manifest: String {
        #"""
        // swift-tools-version: 6.2
        // A plugin for Sluice. Its only dependency is FilterAPI, as the shared library that Sluice's own symbols stand in for.

        import PackageDescription

        /// Where Sluice's sources are: those of the Sluice that loads the plugin. The environment may say otherwise.
        let sluice =
            Context.environment["SLUICE_SDK"]
            ?? "\#(sluice.swiftLiteral)"

        let package = Package(
            name: "\#(id)",
            products: [
                // The name of the file is made from this: lib\#(id).so.
                .library(name: "\#(id)", type: .dynamic, targets: ["\#(id)"])
            ],
            dependencies: [
                .package(name: "sluice", path: sluice)
            ],
            targets: [
                .target(
                    name: "\#(id)", dependencies: [.product(name: "FilterAPI", package: "sluice")],
                    // A plugin runs in the proxy's process: what is unsafe in it should be seen.
                    swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
                .testTarget(
                    name: "\#(type)Tests",
                    dependencies: ["\#(id)", .product(name: "FilterTesting", package: "sluice")]),
            ],
            swiftLanguageModes: [.v6]
        )
        """#
    }

    /// Plugin.swift: what Sluice asks a shared object for.
    var plugin: String {
        #"""
        import FilterAPI

        /// What this shared object brings. A plugin may have several filters.
        enum \#(type)Plugin: Plugin {
            static let filters: [any Filter.Type] = [\#(type)Filter.self]
        }

        /// The one function that Sluice looks for. Every plugin has the same.
        @c(sluice_plugin)
        public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
            unsafe PluginAPI.answer(question, answer, for: \#(type)Plugin.self)
        }
        """#
    }
}

extension String {
    /// As it stands between quotes in Swift.
    fileprivate var swiftLiteral: String {
        var text = ""
        for character in self {
            if character == "\\" || character == "\"" { text += "\\" }
            text.append(character)
        }
        return text
    }
}
