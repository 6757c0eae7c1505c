extension PackageTemplate {
    /// How a filter that sets a field begins, whether it is asynchronous or not.
    func opening(_ role: String) -> String {
        #"""
        /// \#(summary)
        public final class \#(type)Filter: \#(role) {
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


        """#
    }

    /// What it keeps, and how it is made.
    var made: String {
        #"""
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


        """#
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
}
