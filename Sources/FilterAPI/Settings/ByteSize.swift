/// A number of bytes, written in config files with a unit: `16KiB`, `1MiB`, `512B`.
public struct ByteSize: Codable, Sendable, Hashable, Comparable {
    /// The number of bytes.
    public var bytes: Int

    /// That many bytes.
    public init(bytes: Int) { self.bytes = bytes }

    /// That many bytes.
    public static func bytes(_ count: Int) -> ByteSize { ByteSize(bytes: count) }

    /// That many times 1024 bytes.
    public static func kibibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 10) }

    /// That many times 1024 × 1024 bytes.
    public static func mebibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 20) }

    /// Compares by the number of bytes.
    public static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }
}
