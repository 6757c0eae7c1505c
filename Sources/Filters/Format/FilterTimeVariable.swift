internal import FilterAPI

/// `%FILTER_TIME(name)%`: how long a filter has had the request in hand, where the listener measures it.
struct FilterTimeVariable: Sendable, Equatable {
    private let name: String
    private let direction: FilterTimes.Direction?
    private let divisor: UInt64

    private static let hint =
        "write `%FILTER_TIME(name)%`, or `name:REQUEST` or `name:RESPONSE`, and `:ns`, `:us` or `:ms`"

    /// Reads `name`, `name:REQUEST`, `name:us` or `name:REQUEST:us`.
    init(_ argument: String?) throws(ArgumentProblem) {
        let parts = (argument ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, !first.isEmpty, parts.count <= 3 else {
            throw ArgumentProblem("needs the name of a filter of the chain", hint: Self.hint)
        }
        var direction: FilterTimes.Direction?
        var divisor: UInt64 = 1000
        for part in parts.dropFirst() {
            switch part {
            case "REQUEST": direction = .request
            case "RESPONSE": direction = .response
            case "ns": divisor = 1
            case "us": divisor = 1000
            case "ms": divisor = 1_000_000
            default: throw ArgumentProblem("does not know `\(part)`", hint: Self.hint)
            }
        }
        name = first
        self.direction = direction
        self.divisor = divisor
    }

    /// The time; nil where it is not measured, or the chain has no such filter.
    func value(of subject: borrowing FormatSubject) -> Int? {
        guard let times = subject.facts.filterTimes else { return nil }
        return times.nanoseconds(of: name, direction).map { Int(clamping: $0 / divisor) }
    }
}

extension FilterTimes {
    /// Appends all of them in microseconds, from the top: `count=1/2,router=10/1`.
    func append(to text: inout ByteText) {
        let start = text.count
        for name in names {
            if text.count > start { text.append(",") }
            text.append(name)
            text.append("=")
            text.append(decimal: (nanoseconds(of: name, .request) ?? 0) / 1000)
            text.append("/")
            text.append(decimal: (nanoseconds(of: name, .response) ?? 0) / 1000)
        }
    }
}
