internal import Filters

extension ByteText {
    /// Adds a number with up to six digits behind the point.
    mutating func append(decimal number: Double) {
        let millionths = (number * 1e6).rounded()
        guard millionths.isFinite, abs(millionths) < 9e18 else { return append("0") }
        if millionths < 0 { append("-") }
        let magnitude = Int64(millionths).magnitude
        append(decimal: magnitude / 1_000_000)
        var fraction = magnitude % 1_000_000
        guard fraction > 0 else { return }
        var width = 6
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        append(".")
        append(decimal: fraction, width: width)
    }

    /// Adds text as it may stand inside the quotes of a JSON string.
    mutating func append(json text: String) {
        // SAFETY: the string outlives the span.
        unsafe append(escapedForJSON: text.utf8Span.span.bytes)
    }
}
