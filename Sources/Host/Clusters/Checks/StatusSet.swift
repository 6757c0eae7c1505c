/// Some statuses of HTTP.
struct StatusSet: Sendable, Equatable {
    private let ranges: [ClosedRange<Int>]

    /// From settings that have passed their check.
    init(_ texts: [String]) { ranges = texts.compactMap(Self.range) }

    func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    /// Reads `200` or `200-299`; nil where a text is neither, or beyond the statuses of final answers.
    static func range(_ text: String) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { status($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
            return nil
        }
        return first...last
    }

    private static func status(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(text) else { return nil }
        return number >= 200 && number <= 599 ? number : nil
    }
}
