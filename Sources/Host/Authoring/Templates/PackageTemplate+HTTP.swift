extension PackageTemplate {
    /// Filter.swift of the kind http.
    var httpFilter: String {
        #"""
        public import FilterAPI

        /// \#(summary)
        public final class \#(type)Filter: HTTPFilter {
            /// What the config file sets: `\#(id): { value: "good day" }`.
            public struct Settings: FilterSettings {
                /// The field's name.
                public var header = "\#(field)"
                /// The field's value.
                public var value = "hello"

                /// The defaults above.
                public init() {}
            }

            /// The name in config files, and what `sluice` knows of the filter before one is made.
            public static let manifest = Manifest(
                id: "\#(id)", summary: "\#(summary)", status: .trial,
                stats: [.counter("changed", "Responses that have got the field.")])

            /// Nothing but the heads of responses comes here, so that all the rest costs nothing.
            public static var interest: Interest { [.responseHead] }

            private let name: HeaderName
            private let value: String
            private let changed: Counter

            /// Made once for each worker. Names and statistics are looked up here, not while requests run.
            public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
                guard let name = HeaderName(settings.header) else {
                    throw ConfigurationFault("is not the name of a header field", key: "header")
                }
                self.name = name
                value = settings.value
                changed = worker.counter("changed")
            }

            /// Sets the field, and leaves: the rest of the response is not shown to this filter.
            public func responseHead(
                _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
            ) throws(Fault) -> Step {
                head.headers.set(name, value)
                changed.add()
                return .leave
            }
        }
        """#
    }

    /// The tests of the kind http.
    var httpTests: String {
        testsHead + fieldTests + testsEnd()
    }

    /// What filters of the kind http do, asynchronous or not.
    var fieldTests: String {
        #"""
            @Test("sets its field, and counts")
            func field() throws {
                let worker = FakeWorker()
                let stream = FakeStream(try worker.make(\#(type)Filter.self, config: "{ value: good day }"))
                stream.requestHead(last: true)
                stream.responseHead(200, last: true)
                stream.close()
                #expect(stream.above.values("\#(field)") == ["good day"])
                #expect(worker.value(of: "\#(id).changed") == 1)
            }

            @Test("refuses what is no name of a field, in words for the operator")
            func refused() {
                let fault = #expect(throws: ConfigurationFault.self) {
                    try FakeWorker().make(\#(type)Filter.self, config: "{ header: 'not a name' }")
                }
                #expect(fault?.key == "header")
            }


        """#
    }

    /// How each test file begins.
    var testsHead: String {
        #"""
        import FilterAPI
        import FilterTesting
        import Testing

        @testable import \#(id)

        @Suite("The filter \#(id)")
        struct \#(type)Tests {

        """#
    }

    /// How each test file ends: with what every filter must do.
    func testsEnd(_ options: String = "") -> String {
        #"""
            @Test("keeps the rules of filters")
            func conformance() {
                #expect(Conformance.findings(\#(type)Filter.self\#(options)) == [])
            }

            @Test("brings one filter, under the name that config files use and with a role")
            func brings() {
                #expect(\#(type)Plugin.filters.map { $0.manifest.id } == ["\#(id)"])
                #expect(\#(type)Plugin.filters.first is any \#(role).Type)
            }
        }

        """#
    }
}
