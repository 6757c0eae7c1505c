/// Finds the token of a name in one multiplication and, as a rule, one comparison.
///
/// SAFETY: `slots` has `slotCount` entries, written once before the table is shared, and is never freed.
@safe
@usableFromInline
package final class HeaderNameTable: Sendable {
    private static let slotCount = 512

    @unsafe
    private struct Slot {
        var token: UInt16
        var length: UInt16
        var hash: UInt32
        var name: UnsafePointer<UInt8>?
    }

    private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>

    /// The one table, filled from ``HeaderName`` at first use.
    @usableFromInline package static let shared = HeaderNameTable()

    private init() {
        unsafe slots = UnsafeMutablePointer<Slot>.allocate(capacity: Self.slotCount)
        unsafe slots.initialize(repeating: Slot(token: 0, length: 0, hash: 0, name: nil), count: Self.slotCount)
        for (token, name) in HeaderName.known.enumerated() where token > 0 {
            let bytes = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            let hash = unsafe Self.hash(bytes)
            var index = Int(hash) & (Self.slotCount - 1)
            while unsafe slots[index].token != 0 { index = (index + 1) & (Self.slotCount - 1) }
            unsafe slots[index] = Slot(
                token: UInt16(token), length: UInt16(bytes.count), hash: hash, name: name.utf8Start)
        }
    }

    /// The token (0 where the name is not interned) and the hash of a name in any case.
    package func find(_ name: UnsafeRawBufferPointer) -> (token: UInt16, hash: UInt32) {
        let hash = unsafe Self.hash(name)
        var index = Int(hash) & (Self.slotCount - 1)
        while true {
            let slot = unsafe slots[index]
            if unsafe slot.token == 0 { return (0, hash) }
            if unsafe slot.hash == hash && Int(slot.length) == name.count && Self.equal(name, slot.name) {
                return unsafe (slot.token, hash)
            }
            index = (index + 1) & (Self.slotCount - 1)
        }
    }

    /// Mixes the length, the first and the last eight bytes, with letters in lower case.
    ///
    /// Not proof against collisions made on purpose: those only cost the comparison that follows.
    @inline(__always)
    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let count = name.count
        guard let base = name.baseAddress, count > 0 else { return 1 }
        var first: UInt64
        var last: UInt64
        if count >= 8 {
            first = unsafe base.loadUnaligned(as: UInt64.self)
            last = unsafe (base + count - 8).loadUnaligned(as: UInt64.self)
        } else if count >= 4 {
            first = unsafe UInt64(base.loadUnaligned(as: UInt32.self))
            last = unsafe UInt64((base + count - 4).loadUnaligned(as: UInt32.self))
        } else {
            first = unsafe UInt64(name[0])
            last = unsafe UInt64(name[count - 1]) | UInt64(name[count / 2]) << 8
        }
        first |= 0x2020_2020_2020_2020
        last |= 0x2020_2020_2020_2020
        let mixed =
            (first &* 0x9E37_79B9_7F4A_7C15) ^ (last &* 0xC2B2_AE3D_27D4_EB4F)
            ^ (UInt64(count) &* 0x1656_67B1_9E37_79F9)
        return UInt32(truncatingIfNeeded: (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9 >> 32) | 1
    }

    /// Known names hold letters, digits and `-` only, so setting bit 5 folds case and nothing else that is a token.
    @inline(__always)
    private static func equal(_ name: UnsafeRawBufferPointer, _ known: UnsafePointer<UInt8>?) -> Bool {
        guard let known = unsafe known else { return false }
        for index in 0..<name.count where unsafe (name[index] | 0x20) != known[index] { return false }
        return true
    }
}
