internal import Filters

/// HTML on its way to a browser: what is written as text cannot be markup.
struct HTMLText: ~Copyable {
    private var bytes = ByteText(capacity: 32 << 10)

    /// Markup, as it stands in the source.
    mutating func markup(_ literal: StaticString) { bytes.append(literal) }

    /// Markup that is too long for a literal of one line.
    mutating func markup(trusted text: String) { bytes.append(text) }

    /// Text, also inside of quotes.
    mutating func text(_ text: String) {
        if !text.utf8.contains(where: Self.isSpecial) { return bytes.append(text) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes.append("&amp;")
            case UInt8(ascii: "<"): bytes.append("&lt;")
            case UInt8(ascii: ">"): bytes.append("&gt;")
            case UInt8(ascii: "\""): bytes.append("&quot;")
            case UInt8(ascii: "'"): bytes.append("&#39;")
            // Others than these are not allowed in HTML.
            case 0..<0x20 where byte != 0x0A && byte != 0x09: bytes.append("\u{FFFD}")
            default: bytes.append(byte)
            }
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: byte < 0x20
        }
    }

    /// An element with text in it.
    mutating func element(_ name: StaticString, _ text: String, class kind: StaticString = "") {
        markup("<")
        markup(name)
        if kind.utf8CodeUnitCount > 0 {
            markup(" class=\"")
            markup(kind)
            markup("\"")
        }
        markup(">")
        self.text(text)
        markup("</")
        markup(name)
        markup(">")
    }

    /// A value that the script keeps up to date.
    ///
    /// - Parameters:
    ///   - kind: how the script makes it of the data.
    ///   - path: where in the data, below the place that an element around it names.
    mutating func live(_ kind: StaticString, _ path: String, _ text: String = "") {
        markup("<b data-k=\"")
        // A plain number, which most of them are, needs no kind.
        if kind.description == "num" {
            self.text(path)
        } else {
            markup(kind)
            markup(" ")
            self.text(path)
        }
        markup("\">")
        self.text(text)
        markup("</b>")
    }

    consuming func finish() -> String { String(decoding: bytes.copy(), as: UTF8.self) }
}
