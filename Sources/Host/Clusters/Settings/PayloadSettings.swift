internal import FilterAPI

/// Some bytes: a text, or `{ hex: … }`.
struct PayloadSettings: SettingsStruct, Equatable {
    /// More is never read of an answer.
    static let limit = 64 << 10

    var text: String?
    /// Two digits for each byte; blanks may stand between bytes.
    var hex: String?

    init() {}

    init?(shorthand: String) { text = shorthand }

    /// The bytes; empty where `hex` is not what it should be.
    var bytes: [UInt8] {
        if let text { return Array(text.utf8) }
        return hex.flatMap(Self.bytes(hex:)) ?? []
    }

    func validate(_ check: inout SettingsCheck) {
        if text != nil, hex != nil { return check.error("hex", "there is a `text` already", hint: "keep one of them") }
        if let hex, Self.bytes(hex: hex) == nil {
            return check.error("hex", "expected two digits for each byte, such as `50 49 4e 47`")
        }
        if bytes.isEmpty {
            check.error("", "there are no bytes", hint: "a text such as `PING`, or `{ hex: \"50 49 4e 47\" }`")
        } else if bytes.count > Self.limit {
            check.error("", "must not be longer than 64KiB")
        }
    }

    private static func bytes(hex: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for part in hex.utf8.split(separator: UInt8(ascii: " ")) {
            guard part.count % 2 == 0 else { return nil }
            var high: UInt8?
            for digit in part {
                guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
                if let first = high {
                    bytes.append(first << 4 | UInt8(value))
                    high = nil
                } else {
                    high = UInt8(value)
                }
            }
        }
        return bytes
    }
}
