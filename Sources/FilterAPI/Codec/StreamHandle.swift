/// One stream of a codec's connection. A handle to a stream that has ended does nothing.
public struct StreamHandle: Sendable, Hashable {
    package var slot: UInt32
    package var generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// No stream.
    public static let none = StreamHandle(slot: .max, generation: 0)
}
