/// Host names as TLS clients ask for them, and as a config picks by them.
public enum ServerName {
    /// The longest name of a host (RFC 1035 section 2.3.4), without the dot at its end.
    private static let mostBytes = 253
    private static let mostLabelBytes = 63

    /// A name as it is compared: in lower case, without a dot at its end.
    ///
    /// - Returns: nil where it is no host name: an address, an empty label, a byte other than a letter, a digit, `-`
    ///   or `_`, or one that is too long.
    public static func normalized(_ bytes: some Collection<UInt8>) -> String? {
        var name: [UInt8] = []
        for byte in bytes {
            let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            name.append(isUpper ? byte | 0x20 : byte)
            // One byte for the dot that is taken off.
            if name.count > mostBytes + 1 { return nil }
        }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        guard name.count <= mostBytes else { return nil }
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(isLabel), let last = labels.last, !isNumber(last) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        !label.isEmpty && label.count <= mostLabelBytes
            && label.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// What ends in a number is an address, or would be one to some (no top-level domain is a number).
    private static func isNumber(_ label: ArraySlice<UInt8>) -> Bool {
        label.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
}
