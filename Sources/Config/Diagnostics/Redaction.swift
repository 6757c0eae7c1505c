/// Replaces a secret where it stands in a message as a word of its own.
///
/// - Returns: `text` with each such place showing `reference`.
func redact(_ text: String, hiding secret: String, behind reference: String) -> String {
    let bytes = Array(text.utf8)
    let needle = Array(secret.utf8)
    guard !needle.isEmpty, bytes.count >= needle.count else { return text }
    var result: [UInt8] = []
    var at = 0
    while at < bytes.count {
        if isWord(needle, in: bytes, at: at) {
            result += reference.utf8
            at += needle.count
        } else {
            result.append(bytes[at])
            at += 1
        }
    }
    return String(decoding: result, as: UTF8.self)
}

private func isWord(_ needle: [UInt8], in bytes: [UInt8], at start: Int) -> Bool {
    let end = start + needle.count
    guard end <= bytes.count, bytes[start] == needle[0], bytes[start..<end].elementsEqual(needle) else { return false }
    let before = start == 0 || !isLetterOrDigit(bytes[start - 1])
    return before && (end == bytes.count || !isLetterOrDigit(bytes[end]))
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: return true
    default: return false
    }
}
