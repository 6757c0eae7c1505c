/// One stream of a codec's connection. A handle to a stream that has ended does nothing.
public struct StreamHandle: Sendable, Hashable {
    @usableFromInline package var slot: UInt32
    @usableFromInline package var generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Same stream.
    @inlinable
    public static func == (left: StreamHandle, right: StreamHandle) -> Bool {
        left.slot == right.slot && left.generation == right.generation
    }

    /// No stream.
    public static let none = StreamHandle(slot: .max, generation: 0)
}
