package import Synchronization

/// The memory behind statistics: words that one thread writes and any thread may read.
package enum StatWords {
    /// So many words, all zero.
    package static func allocate(_ count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let words = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: count)
        for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
        return unsafe words
    }
}
