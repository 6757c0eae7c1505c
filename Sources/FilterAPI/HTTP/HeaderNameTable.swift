/// Finds the token of a name in one multiplication and, as a rule, one comparison.
///
/// A struct around a pointer and not a class: it is looked at for each field of each message, and a pointer needs no
/// reference counting.
///
/// SAFETY: `slots` has `slotCount` entries and `titles` one for each known name, both written once before the table is
/// shared, and never freed.
@safe
@usableFromInline
package struct HeaderNameTable: Sendable {
    @usableFromInline static let slotCount = 512

    @unsafe
    @usableFromInline
    package struct Slot {
        @usableFromInline var token: UInt16
        @usableFromInline var length: UInt16
        @usableFromInline var hash: UInt32
        @usableFromInline var name: UnsafeRawPointer?
    }

    @usableFromInline nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>
    /// The names by token, as people expect them on HTTP/1: `X-Request-Id`.
    private nonisolated(unsafe) let titles: UnsafeMutablePointer<UnsafeRawBufferPointer>

    /// The one table, filled from ``HeaderName`` at first use.
    @usableFromInline package static let shared = HeaderNameTable()

    /// Names that are written in lower case: there are readers of traces that look for them so.
    private static let plain: [HeaderName] = [.traceparent, .tracestate, .b3]

    private init() {
        unsafe slots = UnsafeMutablePointer<Slot>.allocate(capacity: Self.slotCount)
        unsafe slots.initialize(repeating: Slot(token: 0, length: 0, hash: 0, name: nil), count: Self.slotCount)
        unsafe titles = UnsafeMutablePointer<UnsafeRawBufferPointer>.allocate(capacity: HeaderName.known.count)
        for (token, name) in HeaderName.known.enumerated() {
            let title = UnsafeMutableRawBufferPointer.allocate(byteCount: name.utf8CodeUnitCount, alignment: 8)
            for index in 0..<title.count { unsafe title[index] = name.utf8Start[index] }
            if !Self.plain.contains(HeaderName(token: UInt16(token), hash: 0, text: "")) {
                unsafe Self.titleCase(title)
            }
            unsafe (titles + token).initialize(to: UnsafeRawBufferPointer(title))
        }
        for (token, name) in HeaderName.known.enumerated() where token > 0 {
            let bytes = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            let hash = unsafe Self.hash(bytes)
            var index = Int(hash) & (Self.slotCount - 1)
            while unsafe slots[index].token != 0 { index = (index + 1) & (Self.slotCount - 1) }
            unsafe slots[index] = Slot(
                token: UInt16(token), length: UInt16(bytes.count), hash: hash, name: bytes.baseAddress)
        }
    }

    /// A known name as it is written.
    @inline(__always)
    package func title(of token: UInt16) -> UnsafeRawBufferPointer { unsafe titles[Int(token)] }

    /// A known name in lower case.
    @inline(__always)
    package func lowered(of token: UInt16) -> UnsafeRawBufferPointer {
        let name = HeaderName.known[Int(token)]
        return unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    }

    /// Turns a name in lower case into what people expect on HTTP/1.
    package static func titleCase(_ name: UnsafeMutableRawBufferPointer) {
        var upper = true
        for index in 0..<name.count {
            let byte = unsafe name[index]
            if upper && byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") { unsafe name[index] = byte & 0xDF }
            upper = byte == UInt8(ascii: "-")
        }
    }

    /// The token (0 where the name is not interned) and the hash of a name in any case.
    ///
    /// The name need not be one: bytes that no name may hold are in none of the known ones.
    @inlinable
    package func find(_ name: UnsafeRawBufferPointer) -> (token: UInt16, hash: UInt32) {
        guard let base = name.baseAddress, name.count > 0 else { return (0, 1) }
        let hash = unsafe Self.hash(name)
        var index = Int(hash) & (Self.slotCount &- 1)
        while true {
            let slot = unsafe slots + index
            if unsafe slot.pointee.token == 0 { return (0, hash) }
            if unsafe slot.pointee.hash == hash, unsafe Int(slot.pointee.length) == name.count,
                let known = unsafe slot.pointee.name, unsafe Self.equal(base, known, name.count)
            {
                return unsafe (slot.pointee.token, hash)
            }
            index = (index &+ 1) & (Self.slotCount &- 1)
        }
    }

    /// Mixes the length, the first and the last eight bytes, with letters in lower case.
    ///
    /// Not proof against collisions made on purpose: those only cost the comparison that follows.
    @inlinable
    @inline(__always)
    static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let count = name.count
        guard let base = name.baseAddress, count > 0 else { return 1 }
        var first: UInt64
        var last: UInt64
        if count >= 8 {
            first = unsafe base.loadUnaligned(as: UInt64.self)
            last = unsafe (base + (count &- 8)).loadUnaligned(as: UInt64.self)
        } else if count >= 4 {
            first = unsafe UInt64(base.loadUnaligned(as: UInt32.self))
            last = unsafe UInt64((base + (count &- 4)).loadUnaligned(as: UInt32.self))
        } else {
            first = unsafe UInt64(base.load(as: UInt8.self))
            last =
                unsafe UInt64(base.load(fromByteOffset: count &- 1, as: UInt8.self))
                | UInt64(base.load(fromByteOffset: count / 2, as: UInt8.self)) << 8
        }
        first |= 0x2020_2020_2020_2020
        last |= 0x2020_2020_2020_2020
        let mixed =
            (first &* 0x9E37_79B9_7F4A_7C15) ^ (last &* 0xC2B2_AE3D_27D4_EB4F)
            ^ (UInt64(count) &* 0x1656_67B1_9E37_79F9)
        return UInt32(truncatingIfNeeded: (mixed ^ (mixed >> 29)) &* 0xBF58_476D_1CE4_E5B9 >> 32) | 1
    }

    /// Whether a name is the known one, in any case.
    ///
    /// Eight bytes at a time; the last eight may have been among those before.
    @inlinable
    @inline(__always)
    static func equal(_ name: UnsafeRawPointer, _ known: UnsafeRawPointer, _ count: Int) -> Bool {
        var position = 0
        if count >= 8 {
            while position < count &- 8 {
                if unsafe differs(name, known, position) { return false }
                position &+= 8
            }
            return unsafe !differs(name, known, count &- 8)
        }
        while position < count {
            let byte = unsafe known.load(fromByteOffset: position, as: UInt8.self)
            let difference = unsafe name.load(fromByteOffset: position, as: UInt8.self) ^ byte
            if difference & ~((byte & 0x40) >> 1) != 0 { return false }
            position &+= 1
        }
        return true
    }

    /// Letters may differ in bit 5, which is their case. Bit 6 tells them from digits and `-`, where it may not: there
    /// it would make a name of a control character.
    @inlinable
    @inline(__always)
    static func differs(_ name: UnsafeRawPointer, _ known: UnsafeRawPointer, _ position: Int) -> Bool {
        let word = unsafe known.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let difference = unsafe name.loadUnaligned(fromByteOffset: position, as: UInt64.self) ^ word
        return difference & ~((word & 0x4040_4040_4040_4040) >> 1) != 0
    }
}
