internal import FilterAPI

/// Fields that are for the next hop only, and do not travel on.
enum HopByHop {
    /// Takes out `Connection`, what it names, and the fields that are always for one hop.
    ///
    /// What frames the message or says where it goes stays, whatever `Connection` claims.
    static func strip(_ headers: inout Headers, _ meaning: HeadMeaning) {
        if meaning.flags.contains(.namesFields) {
            stripNamed(&headers)
        } else if meaning.flags.contains(.connectionField) {
            headers.remove(.connection)
        }
        if meaning.flags.contains(.upgradeField) { headers.remove(.http2Settings) }
    }

    private static func stripNamed(_ headers: inout Headers) {
        while true {
            let index = headers.index(of: .connection)
            if index < 0 { return }
            let entry = unsafe headers.entries[index]
            headers.remove(at: index)
            let end = entry.valueOffset + entry.valueCount
            var start = entry.valueOffset
            while start < end {
                let name = option(headers, from: start, to: end)
                if name.count > 0 { removeFields(named: name, &headers) }
                start += name.length + 1
            }
        }
    }

    /// One entry of a list, without the blanks around it, and how long it is with them.
    private static func option(
        _ headers: borrowing Headers, from start: UInt32, to end: UInt32
    ) -> (offset: UInt32, count: UInt32, length: UInt32) {
        let text = headers.text(TextRange(offset: start, count: end - start))
        func byte(_ position: Int) -> UInt8 { unsafe text.unsafeLoad(fromByteOffset: position, as: UInt8.self) }
        var length = 0
        while length < text.byteCount, byte(length) != UInt8(ascii: ",") { length += 1 }
        var first = 0
        var last = length
        while first < last, Scan.isBlank(byte(first)) { first += 1 }
        while last > first, Scan.isBlank(byte(last - 1)) { last -= 1 }
        return (start + UInt32(first), UInt32(last - first), UInt32(length))
    }

    private static func removeFields(
        named name: (offset: UInt32, count: UInt32, length: UInt32), _ headers: inout Headers
    ) {
        var index = 0
        while index < headers.count {
            let entry = unsafe headers.entries[index]
            let text = TextRange(offset: name.offset, count: name.count)
            if UInt32(entry.nameCount) == name.count, !isProtected(entry.token),
                ASCII.equalIgnoringCase(headers.name(at: index), headers.text(text))
            {
                headers.remove(at: index)
            } else {
                index += 1
            }
        }
    }

    /// Fields that frame the message or say where it goes are the first in the table.
    private static func isProtected(_ token: UInt16) -> Bool { token != 0 && token <= KnownField.lastSpecial }

    /// Whether a field must not be written, whoever added it: framing and connections are the codec's.
    @inline(__always)
    static func isCodecs(_ token: UInt16) -> Bool {
        token == KnownField.connection || token == KnownField.transferEncoding || token == KnownField.keepAlive
            || token == KnownField.proxyConnection || token == KnownField.upgrade
    }
}
