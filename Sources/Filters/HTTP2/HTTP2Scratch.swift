internal import CNGHTTP2
internal import FilterAPI

/// Fields on their way to libnghttp2, which copies them: names in lower case, values where they are.
///
/// One for each codec on each worker, used for one head after the other.
///
/// SAFETY: `entries` and `bytes` have the capacities that stand beside them. What an entry points at is static, or in
/// `bytes`, which does not move between ``begin(_:)`` and ``fields`` being used, or in a head that its user holds until
/// then.
@safe
final class HTTP2Scratch {
    private var entries: UnsafeMutablePointer<nghttp2_nv>
    private var capacity = 64
    private var count = 0
    private var bytes: UnsafeMutablePointer<UInt8>
    private var byteCapacity = 2048
    private var used = 0

    private static let copiesValue = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
    private static let copiesBoth = UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
    private static let copiesNothing =
        UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue) | UInt8(NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)

    init() {
        unsafe entries = .allocate(capacity: capacity)
        unsafe bytes = .allocate(capacity: byteCapacity)
    }

    deinit {
        unsafe entries.deallocate()
        unsafe bytes.deallocate()
    }

    /// Begins a head, for which up to `size` bytes will be made.
    func begin(_ size: Int) {
        count = 0
        used = 0
        guard size > byteCapacity else { return }
        unsafe bytes.deallocate()
        byteCapacity = size
        unsafe bytes = .allocate(capacity: size)
    }

    /// What was added.
    var fields: (UnsafePointer<nghttp2_nv>, Int) { unsafe (UnsafePointer(entries), count) }

    private func append(_ entry: nghttp2_nv) {
        if count == capacity {
            let larger = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: capacity * 2)
            unsafe larger.moveInitialize(from: entries, count: count)
            unsafe entries.deallocate()
            unsafe entries = larger
            capacity *= 2
        }
        unsafe (entries + count).initialize(to: entry)
        count += 1
    }

    /// A field whose name is a literal.
    func add(_ name: StaticString, _ value: borrowing RawSpan) {
        unsafe value.withUnsafeBytes { value in
            unsafe append(
                nghttp2_nv(
                    name: UnsafeMutablePointer(mutating: name.utf8Start),
                    value: UnsafeMutablePointer(mutating: Self.start(value)), namelen: name.utf8CodeUnitCount,
                    valuelen: value.count, flags: Self.copiesValue))
        }
    }

    /// A field whose name is a literal, and whose value does not last.
    func add(_ name: StaticString, copying value: borrowing RawSpan) {
        precondition(used + value.byteCount <= byteCapacity, "more is made for a head than was said")
        let start = unsafe bytes + used
        unsafe value.withUnsafeBytes { value in
            if let base = value.baseAddress {
                unsafe UnsafeMutableRawPointer(start).copyMemory(from: base, byteCount: value.count)
            }
        }
        used += value.byteCount
        unsafe add(name, RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: value.byteCount))
    }

    /// A field that is a literal.
    func add(_ name: StaticString, _ value: StaticString) {
        unsafe append(
            nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.utf8Start),
                value: UnsafeMutablePointer(mutating: value.utf8Start), namelen: name.utf8CodeUnitCount,
                valuelen: value.utf8CodeUnitCount, flags: Self.copiesNothing))
    }

    /// A field of a head.
    func add(_ entry: Headers.Entry, of headers: borrowing Headers) {
        let value = unsafe headers.bytes + Int(entry.valueOffset)
        let start: UnsafePointer<UInt8>
        if entry.token != 0 {
            let name = unsafe HeaderNameTable.shared.lowered(of: entry.token)
            unsafe start = name.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        } else {
            let name = unsafe (headers.bytes + Int(entry.nameOffset)).assumingMemoryBound(to: UInt8.self)
            for index in 0..<Int(entry.nameCount) { unsafe bytes[used + index] = ASCII.lower(name[index]) }
            unsafe start = UnsafePointer(bytes + used)
            used += Int(entry.nameCount)
        }
        unsafe append(
            nghttp2_nv(
                name: UnsafeMutablePointer(mutating: start), value: value.assumingMemoryBound(to: UInt8.self),
                namelen: Int(entry.nameCount), valuelen: Int(entry.valueCount),
                flags: entry.token != 0 ? Self.copiesValue : Self.copiesBoth))
    }

    /// A status.
    func addStatus(_ status: Int) {
        let start = unsafe bytes + used
        unsafe start[0] = 0x30 + UInt8(truncatingIfNeeded: status / 100 % 10)
        unsafe start[1] = 0x30 + UInt8(truncatingIfNeeded: status / 10 % 10)
        unsafe start[2] = 0x30 + UInt8(truncatingIfNeeded: status % 10)
        used += 3
        unsafe add(":status", RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: 3))
    }

    private static func start(_ value: UnsafeRawBufferPointer) -> UnsafePointer<UInt8> {
        unsafe value.baseAddress?.assumingMemoryBound(to: UInt8.self)
            ?? UnsafePointer(bitPattern: 64).unsafelyUnwrapped
    }
}
