extension PackageTemplate {
    /// Filter.swift of the kind byte.
    var byteFilter: String {
        #"""
        public import FilterAPI

        /// \#(summary)
        public final class \#(type)Filter: ByteFilter {
            /// What the config file sets: `\#(id): { most: 1MiB }`.
            public struct Settings: FilterSettings {
                /// How much a client may send on one connection.
                public var most = ByteSize.kibibytes(1024)

                /// The defaults above.
                public init() {}
            }

            /// What is kept of each connection, in the memory of the connection itself.
            public struct State {
                var received = 0
            }

            /// The name in config files, and what `sluice` knows of the filter before one is made.
            public static let manifest = Manifest(
                id: "\#(id)", summary: "\#(summary)", status: .trial,
                stats: [
                    .counter("bytes", "Bytes that clients have sent."),
                    .counter("refused", "Connections that were ended since more than `most` was sent."),
                ],
                reasons: [
                    .init(
                        "\#(id).too_much", [.bodyTooLarge], "The client has sent more than `most`.",
                        lookAt: "The client, or `most` of the filter `\#(id)`.")
                ])

            /// What clients send, and the beginning of each connection. What upstreams send does not come here.
            public static var interest: Interest { [.requestBody, .lifetime] }

            private let most: Int
            private let bytes: Counter
            private let refused: Counter

            /// Made once for each worker. Statistics are looked up here, not while bytes run.
            public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
                most = settings.most.bytes
                bytes = worker.counter("bytes")
                refused = worker.counter("refused")
            }

            /// Begins a connection. Who returns nil is left out of it.
            public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

            /// Counts, and lets go on what is not too much.
            public func requestBytes(
                _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
            ) throws(Fault) -> Step {
                state.received += chunk.count
                bytes.add(UInt64(chunk.count))
                if state.received > most {
                    refused.add()
                    throw Fault(.bodyTooLarge, "\#(id).too_much")
                }
                return .next
            }
        }
        """#
    }

    /// The tests of the kind byte.
    var byteTests: String {
        let own = #"""
                @Test("lets bytes pass, and counts them")
                func passes() throws {
                    let worker = FakeWorker()
                    let stream = FakeByteStream(try worker.make(\#(type)Filter.self))
                    stream.requestBytes("hello", last: true)
                    stream.close()
                    #expect(stream.below.text == "hello")
                    #expect(worker.value(of: "\#(id).bytes") == 5)
                }

                @Test("ends a connection that sends too much, however it is cut")
                func refuses() throws {
                    let worker = FakeWorker()
                    let stream = FakeByteStream(try worker.make(\#(type)Filter.self, config: "{ most: 4B }"))
                    stream.requestBytes("hel")
                    #expect(stream.fault == nil)
                    stream.requestBytes("lo")
                    stream.close()
                    #expect(stream.fault?.kind == .bodyTooLarge)
                    #expect(worker.value(of: "\#(id).refused") == 1)
                }


            """#
        return testsHead + own + testsEnd()
    }
}
