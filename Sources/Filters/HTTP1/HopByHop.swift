internal import FilterAPI

/// Fields that are for the next hop only, and do not travel on.
enum HopByHop {
    /// Takes out `Connection`, what it names, and the fields that are always for one hop.
    ///
    /// What frames the message or says where it goes stays, whatever `Connection` claims.
    static func strip(_ headers: inout Headers, _ meaning: HeadMeaning) {
        if meaning.flags.contains(.namesFields) { stripNamed(&headers) }
        if headers.contains(.connection) { headers.remove(.connection) }
        if headers.contains(.http2Settings) { headers.remove(.http2Settings) }
    }

    private static func stripNamed(_ headers: inout Headers) {
        for value in headers.values(.connection) {
            for part in value.split(separator: ",") {
                let text = part.trimmingBlanks()
                guard let name = HeaderName(text), !isProtected(name) else { continue }
                headers.remove(name)
            }
        }
    }

    private static func isProtected(_ name: HeaderName) -> Bool {
        switch name {
        case .host, .contentLength, .transferEncoding, .connection, .upgrade, .expect, .trailer, .te: true
        default: false
        }
    }

    /// Whether a field must not be written, whoever added it: framing and connections are the codec's.
    @inline(__always)
    static func isCodecs(_ token: UInt16) -> Bool {
        token == KnownField.connection || token == KnownField.transferEncoding || token == KnownField.keepAlive
            || token == KnownField.proxyConnection || token == KnownField.upgrade
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> String {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
