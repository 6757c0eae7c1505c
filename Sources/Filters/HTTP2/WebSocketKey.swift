internal import COpenSSL
internal import FilterAPI

/// The handshake that WebSockets have over HTTP/1, and not over HTTP/2 (RFC 6455 section 1.3, RFC 8441 section 5).
enum WebSocketKey {
    /// A key: 16 bytes that nobody has used before.
    static func make(_ random: inout RandomBits) -> String {
        var bytes: [UInt8] = []
        for _ in 0..<2 {
            let word = random.next()
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift * 8))) }
        }
        return base64(bytes)
    }

    /// What a server answers to a key.
    static func answer(to key: String) -> String {
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        _ = unsafe SHA1(text, text.count, &digest)
        return base64(digest)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = unsafe EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
