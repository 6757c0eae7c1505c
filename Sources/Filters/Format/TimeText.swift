/// Spans of time in words, as config files write them: `1m30s`, `250ms`.
enum TimeText {
    static func of(_ nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        guard milliseconds > 0 else { return nanoseconds == 0 ? "0" : "\(nanoseconds / 1000)us" }
        var text = ""
        if milliseconds >= 60_000 { text += "\(milliseconds / 60_000)m" }
        if milliseconds % 60_000 >= 1000 { text += "\(milliseconds % 60_000 / 1000)s" }
        if milliseconds % 1000 > 0 { text += "\(milliseconds % 1000)ms" }
        return text
    }
}
