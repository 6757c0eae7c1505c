import COpenSSL
import FilterAPI

/// Reads and writes bodies of gRPC-Web, by other code than the filter's.
enum GRPCWebBody {
    /// What was there before the trailers.
    static func messages(_ body: [UInt8]) -> [UInt8]? {
        guard let start = startOfTrailers(body) else { return body }
        return Array(body[..<start])
    }

    /// The fields in the last message; nil where it has none.
    static func trailers(_ body: [UInt8]) -> String? {
        startOfTrailers(body).map { String(decoding: body[($0 + 5)...], as: UTF8.self) }
    }

    private static func startOfTrailers(_ body: [UInt8]) -> Int? {
        body.indices.last { start in
            guard body[start] == 0x80, start + 5 <= body.count else { return false }
            let length = body[(start + 1)..<(start + 5)].reduce(0) { $0 << 8 | Int($1) }
            return start + 5 + length == body.count
        }
    }

    static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = unsafe EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return Array(text.prefix(Int(count)))
    }

    /// Reads text that may have padding anywhere; nil where it is not Base64.
    static func decoded(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: 4) {
            let four = Array(text[start..<(start + 4)])
            var three = [UInt8](repeating: 0, count: 3)
            guard unsafe EVP_DecodeBlock(&three, four, 4) == 3 else { return nil }
            bytes += three.dropLast(four.count { $0 == UInt8(ascii: "=") })
        }
        return bytes
    }
}
