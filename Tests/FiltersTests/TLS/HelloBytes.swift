/// A client hello that a test puts together, right or wrong.
struct HelloBytes {
    var sessionID: [UInt8] = []
    var suites: [UInt8] = [0x13, 0x01, 0xC0, 0x2B]
    var compressions: [UInt8] = [0]
    /// Type and content, in order; nil where there is no list at all.
    var extensions: [(type: Int, content: [UInt8])]? = []
    var afterExtensions: [UInt8] = []
    /// In place of the type of the message.
    var type: UInt8 = 1

    static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    static func vector(_ content: [UInt8], _ size: Int) -> [UInt8] { number(content.count, size) + content }

    static func serverName(_ name: [UInt8], kind: UInt8 = 0) -> (type: Int, content: [UInt8]) {
        (0, vector([kind] + vector(name, 2), 2))
    }

    static func serverName(_ name: String) -> (type: Int, content: [UInt8]) { serverName(Array(name.utf8)) }

    static func protocols(_ names: [String]) -> (type: Int, content: [UInt8]) {
        (16, vector(names.flatMap { vector(Array($0.utf8), 1) }, 2))
    }

    /// The handshake message.
    var message: [UInt8] {
        var body: [UInt8] = [3, 3] + (0..<32).map { UInt8($0 * 7) }
        body += Self.vector(sessionID, 1) + Self.vector(suites, 2) + Self.vector(compressions, 1)
        if let extensions {
            body += Self.vector(extensions.flatMap { Self.number($0.type, 2) + Self.vector($0.content, 2) }, 2)
        }
        return [type] + Self.vector(body + afterExtensions, 3)
    }

    /// The message in one record.
    var record: [UInt8] { Self.record(message) }

    /// The message in records of so many bytes each.
    func records(of size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { start in
            Self.record(Array(message[start..<min(start + size, message.count)]))
        }
    }

    static func record(_ content: [UInt8]) -> [UInt8] { [22, 3, 1] + vector(content, 2) }
}
