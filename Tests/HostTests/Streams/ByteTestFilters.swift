import FilterAPI

/// Turns every byte round, both ways: as a cipher does, it shows whether bytes have passed by it.
final class Cipher: ByteFilter {
    static let manifest = Manifest(id: "cipher", summary: "Turns bytes round.")
    private let afterLast: Counter
    private let ends: Counter

    struct State { var hasEnded = false }

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        afterLast = worker.counter("after_last")
        ends = worker.counter("ends")
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if state.hasEnded { afterLast.add() }
        if last {
            state.hasEnded = true
            ends.add()
        }
        turn(&chunk, stream)
        return .next
    }

    func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        turn(&chunk, stream)
        return .next
    }

    private func turn(_ chunk: inout ByteChunk, _ stream: borrowing FilterAPI.Stream) {
        guard !chunk.isEmpty else { return }
        let source = chunk.take()
        chunk = unsafe stream.makeChunk(capacity: source.count) { memory in
            unsafe source.withUnsafeBytes { bytes in
                for index in 0..<bytes.count {
                    unsafe memory.storeBytes(of: ~bytes[index], toByteOffset: index, as: UInt8.self)
                }
            }
            return source.count
        }
    }
}

/// Holds the first bytes to the client, and hands the token to the test.
final class Stopper: ByteFilter {
    struct Settings: FilterSettings { var key = "" }
    struct State { var hasHeld = false }
    static let manifest = Manifest(id: "stopper", summary: "Holds bytes.")
    private let key: String
    private let held: Counter

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        key = settings.key
        held = worker.counter("held")
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard !state.hasHeld else { return .next }
        state.hasHeld = true
        held.add()
        Gate.Tokens.of(key).add(stream.pause())
        return .hold
    }
}
