extension PackageTemplate {
    /// Filter.swift of the kind terminal.
    var terminal: String {
        #"""
        public import FilterAPI

        /// \#(summary)
        public final class \#(type)Filter: HTTPTerminal {
            /// What the config file sets: `\#(id): { text: "good day" }`.
            public struct Settings: FilterSettings {
                /// The answer's body.
                public var text = "hello"

                /// The defaults above.
                public init() {}
            }

            /// The name in config files, and what `sluice` knows of the filter before one is made.
            public static let manifest = Manifest(
                id: "\#(id)", summary: "\#(summary)", status: .trial,
                stats: [.counter("answered", "Requests that were answered.")])

            /// Nothing but the heads of requests: whatever body there is, it is not needed.
            public static var interest: Interest { [.requestHead] }

            private let text: String
            private let answered: Counter

            /// Made once for each worker. Statistics are looked up here, not while requests run.
            public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
                text = settings.text + "\n"
                answered = worker.counter("answered")
            }

            /// Answers each request, by its head alone.
            public func requestHead(
                _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
            ) throws(Fault) -> Step {
                answered.add()
                stream.reply(200, body: text)
                return .leave
            }
        }
        """#
    }

    /// The tests of the kind terminal.
    var terminalTests: String {
        let own = #"""
                @Test("answers, and counts")
                func answers() throws {
                    let worker = FakeWorker()
                    let stream = FakeStream(try worker.make(\#(type)Filter.self, config: "{ text: good day }"))
                    stream.requestHead(last: true)
                    #expect(stream.reply?.status == 200)
                    #expect(stream.reply?.body == "good day\n")
                    #expect(worker.value(of: "\#(id).answered") == 1)
                }


            """#
        return testsHead + own + testsEnd()
    }
}
