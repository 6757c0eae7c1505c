internal import FilterAPI

/// Writes the head of a message in one go into memory that is known to suffice.
///
/// SAFETY: the caller reserves what ``bound(_:)`` says; each write is part of that sum.
@safe
struct HeadWriter {
    private let memory: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawPointer) { unsafe self.memory = memory }

    @inline(__always)
    mutating func add(_ text: StaticString) {
        unsafe (memory + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count &+= text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func add(_ bytes: UnsafeRawPointer, _ size: Int) {
        unsafe (memory + count).copyMemory(from: bytes, byteCount: size)
        count &+= size
    }

    @inline(__always)
    mutating func add(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { unsafe add(base, bytes.count) }
        }
    }

    @inline(__always)
    mutating func add(_ byte: UInt8) {
        unsafe memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    mutating func add(decimal number: Int) {
        var text = DecimalText(number)
        text.withBytes { add($0) }
    }

    mutating func add(hexadecimal number: Int) {
        var shift = (63 - max(1, number).leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 15)
            add(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }

    /// One field, as it stands in the head.
    @inline(__always)
    mutating func add(_ entry: Headers.Entry, of headers: borrowing Headers) {
        let name = unsafe UnsafeRawPointer(headers.bytes) + Int(entry.nameOffset)
        unsafe add(name, Int(entry.nameCount))
        unsafe memory.storeBytes(of: 0x203A, toByteOffset: count, as: UInt16.self)
        count &+= 2
        let value = unsafe UnsafeRawPointer(headers.bytes) + Int(entry.valueOffset)
        unsafe add(value, Int(entry.valueCount))
        unsafe memory.storeBytes(of: 0x0A0D, toByteOffset: count, as: UInt16.self)
        count &+= 2
    }
}
