extension PackageTemplate {
    /// Filter.swift of an asynchronous filter.
    var asyncFilter: String {
        #"""
        public import FilterAPI
        public import FilterAsync

        /// \#(summary)
        public final class \#(type)Filter: AsyncHTTPFilter {
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

            /// From the request to its response, on the worker's own thread: wait for what you like, and never block.
            ///
            /// Who does not call `next` answers by `request.reply(403, body: "no\n")`; what must be asked first is asked by
            /// `try await request.fetch(…, from: cluster)`.
            public nonisolated(nonsending) func handle(
                _ request: consuming AsyncRequest, next: consuming Next
            ) async throws -> AsyncResponse {
                var response = try await next(request)
                response.head.headers.set(name, value)
                changed.add()
                return response
            }
        }
        """#
    }

    /// The tests of an asynchronous filter.
    var asyncTests: String { testsHead + fieldTests + testsEnd() }
}
