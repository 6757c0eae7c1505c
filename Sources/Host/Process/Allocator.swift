internal import CLinux

/// How the C library's allocator is set, which libraries use by each handshake and each record.
enum Allocator {
    /// What a thread may keep of memory that was freed.
    ///
    /// With the usual 128 KiB, connections of TLS that come and go have the same pages given back and fetched again, at half
    /// a page fault each.
    private static let kept: Int32 = 1 << 20

    static func setUp() { _ = mallopt(M_TRIM_THRESHOLD, kept) }
}
