import FilterAPI
import FilterTesting

@testable import Filters

/// Frames of HTTP/2 as bytes.
enum Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// What every client begins with.
    static let greeting = preface + frame(4, 0, 0, [])
    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), type, flags, 0, 0, 0, stream] + payload
    }

    /// A field that goes into no table.
    static func field(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    /// HEADERS of a request.
    static func request(
        _ stream: UInt8 = 1, _ method: String = "GET", _ path: String = "/x", _ fields: [(String, String)] = [],
        ends: Bool = true
    ) -> [UInt8] {
        let pseudo = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "a")]
        let block = (pseudo + fields).flatMap { field($0.0, $0.1) }
        return frame(1, endHeaders | (ends ? endStream : 0), stream, block)
    }

    /// DATA.
    static func data(_ stream: UInt8, _ text: String, ends: Bool = true) -> [UInt8] {
        frame(0, ends ? endStream : 0, stream, Array(text.utf8))
    }

    /// What frames are in some bytes: their types, streams, and the codes of those that end something.
    static func read(_ bytes: [UInt8]) -> [String] {
        var found: [String] = []
        var at = 0
        while at + 9 <= bytes.count {
            let length = Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            let name = [
                "DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH", "PING", "GOAWAY", "WINDOW_UPDATE",
            ]
            let (type, flags, stream) = (Int(bytes[at + 3]), bytes[at + 4], bytes[at + 8])
            let end = at + 9 + length
            let code = type == 3 || type == 7 ? " \(bytes[at + 9 + (type == 7 ? 7 : 3)])" : ""
            found.append("\(type < name.count ? name[type] : "\(type)") \(flags) \(stream)\(code)")
            at = end
        }
        return found
    }
}
