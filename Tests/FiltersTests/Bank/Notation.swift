/// The notation of the banks of hostile messages (`Tests/wire/notation.py` explains it), expanded to bytes.
enum Notation {
    private static let macros = [
        "<H>": #"Host: a\r\n"#,
        "<G>": #"GET / HTTP/1.1\r\nHost: a\r\n"#,
        "<P>": #"POST / HTTP/1.1\r\nHost: a\r\n"#,
        "<C>": #"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"#,
        "<S>": #"GET /smug HTTP/1.1\r\nHost: a\r\n\r\n"#,
        "<O>": #"HTTP/1.1 200 OK\r\n"#,
        "<L>": #"Content-Length: 2\r\n\r\nok"#,
        "<|>": "",
    ]

    /// The bytes that a text stands for.
    static func expand(_ text: String) -> [UInt8] {
        var text = text
        for (macro, meaning) in macros { text = text.replacing(macro, with: meaning) }
        while let repeated = repeatOne(text) { text = repeated }
        return unescape(Array(text.unicodeScalars))
    }

    /// Writes out the first of the innermost `{text*n}`; nil where there is none.
    private static func repeatOne(_ text: String) -> String? {
        var open: String.Index?
        for index in text.indices {
            if text[index] == "{" { open = index }
            guard text[index] == "}", let start = open else { continue }
            let inner = text[text.index(after: start)..<index]
            guard let star = inner.lastIndex(of: "*"), let count = Int(inner[inner.index(after: star)...]) else {
                open = nil
                continue
            }
            let unit = inner[..<star]
            let parts = (0..<count).map { unit.replacing("%d", with: String($0)) }
            return text[..<start] + parts.joined() + text[text.index(after: index)...]
        }
        return nil
    }

    private static func unescape(_ text: [Unicode.Scalar]) -> [UInt8] {
        let plain: [Unicode.Scalar: UInt8] = ["r": 0x0D, "n": 0x0A, "t": 0x09]
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == "\\", index + 1 < text.count {
                if let byte = plain[text[index + 1]] {
                    bytes.append(byte)
                    index += 2
                    continue
                }
                if text[index + 1] == "x", index + 3 < text.count,
                    let byte = UInt8(String(String.UnicodeScalarView(text[(index + 2)...(index + 3)])), radix: 16)
                {
                    bytes.append(byte)
                    index += 4
                    continue
                }
            }
            bytes.append(UInt8(truncatingIfNeeded: text[index].value))
            index += 1
        }
        return bytes
    }
}
