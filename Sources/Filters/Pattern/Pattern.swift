internal import CRE2
internal import FilterAPI

/// A regular expression that matches in time linear in the text (RE2 syntax), over bytes.
///
/// Belongs to one worker: the engine behind it has a lock, which is free only then.
///
/// SAFETY: `object` is made by `sluice_pattern_compile` and freed once; texts are read during the calls only.
@safe
package final class Pattern {
    private let object: OpaquePointer

    /// Why a pattern cannot be used.
    package struct Problem: Error {
        /// In lower case, without a full stop.
        package var message: String
        /// Where the cause stands in the pattern, in bytes.
        package var offset: Int
    }

    /// Compiles a pattern.
    package init(_ pattern: String) throws(Problem) {
        var offset = 0
        var message = ""
        var buffer: InlineArray<256, CChar> = InlineArray(repeating: 0)
        var errorText = buffer.mutableSpan
        let bytes = unsafe pattern.utf8Span.span.bytes
        let made = unsafe Self.withText(bytes) { text, count in
            unsafe errorText.withUnsafeMutableBufferPointer { error in
                guard let base = error.baseAddress else { return unsafe OpaquePointer?.none }
                let made = unsafe sluice_pattern_compile(text, count, base, error.count, &offset)
                if unsafe made == nil { message = unsafe String(cString: base) }
                return unsafe made
            }
        }
        guard let made = unsafe made else { throw Problem(message: message, offset: offset) }
        unsafe object = made
    }

    deinit { unsafe sluice_pattern_free(object) }

    /// How many groups the pattern has.
    package var groupCount: Int { unsafe Int(sluice_pattern_groups(object)) }

    /// Whether the pattern matches all of a text.
    package func matchesWhole(_ text: borrowing RawSpan) -> Bool {
        unsafe Self.withText(text) { unsafe sluice_pattern_matches_whole(object, $0, $1) != 0 }
    }

    /// Whether the pattern matches some part of a text.
    package func matchesPart(_ text: borrowing RawSpan) -> Bool {
        unsafe Self.withText(text) { unsafe sluice_pattern_matches_part(object, $0, $1) != 0 }
    }

    /// Why a replacement does not fit the pattern; nil where it does.
    package func problem(withReplacement text: String) -> String? {
        let span = unsafe text.utf8Span.span.bytes
        return unsafe Self.withText(span) { start, count in
            guard let reason = unsafe sluice_pattern_check_replacement(object, start, count) else { return nil }
            return unsafe String(cString: reason)
        }
    }

    /// Appends a text with the first match replaced.
    ///
    /// - Parameters:
    ///   - replacement: `\1` stands for what the first group matched, `\0` for all that matched.
    /// - Returns: false where nothing matches: then nothing is appended.
    package func replace(in text: borrowing RawSpan, with replacement: String, into output: inout ByteText) -> Bool {
        var isMatch = true
        unsafe Self.withText(text) { start, count in
            let with = unsafe replacement.utf8Span.span.bytes
            unsafe Self.withText(with) { withStart, withCount in
                unsafe output.write(upTo: count + withCount + 64) { memory, capacity in
                    let buffer = unsafe memory.assumingMemoryBound(to: CChar.self)
                    let size = unsafe sluice_pattern_replace(
                        object, start, count, withStart, withCount, buffer, capacity)
                    isMatch = size >= 0
                    return max(0, size)
                }
            }
        }
        return isMatch
    }

    private static let nothing: StaticString = ""

    @inline(__always)
    private static func withText<R>(_ text: borrowing RawSpan, _ body: (UnsafePointer<CChar>, Int) -> R) -> R {
        unsafe text.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress ?? UnsafeRawPointer(nothing.utf8Start)
            return unsafe body(start.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }
}
