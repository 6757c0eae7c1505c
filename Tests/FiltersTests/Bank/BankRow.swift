import FilterTesting
import Glibc

/// A row of a bank: a message, and what may become of it.
struct BankRow: Sendable, CustomStringConvertible {
    /// A step of a verdict: a kind, statuses, conditions.
    struct Step: Sendable {
        var kind: String
        var statuses: [Int]
        var conditions: [(name: String, value: String)]

        init(_ text: Substring) {
            let words = text.split(separator: " ")
            let head = (words.first ?? "").split(separator: ":", maxSplits: 1)
            let isAnswer = head.first?.allSatisfy { $0.isNumber || $0 == "," } ?? false
            kind = isAnswer ? "answer" : String(head.first ?? "")
            statuses = (head.last ?? "").split(separator: ",").compactMap { Int($0) }
            conditions = words.dropFirst().map { word in
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let value = parts.count > 1 ? Notation.expand(String(parts[1])) : []
                return (String(parts[0]), printable(value))
            }
        }
    }

    let id: String
    /// Alternatives, each a list of steps.
    let verdict: [[Step]]
    let bytes: [UInt8]
    /// For responses: the client's method, and what the upstream does behind its bytes.
    var method = "GET"
    var then = "keep"

    var description: String { id }

    /// The rows of the bank of requests.
    static let requests = lines("requests.tsv").map { columns in
        BankRow(id: columns[0], verdict: alternatives(columns[1]), bytes: Notation.expand(columns[3]))
    }

    /// The rows of the bank of responses.
    static let responses = lines("responses.tsv").map { columns in
        BankRow(
            id: columns[0], verdict: alternatives(columns[1]), bytes: Notation.expand(columns[5]), method: columns[2],
            then: columns[3])
    }

    private static func alternatives(_ text: String) -> [[Step]] {
        text.split(separator: " or ").map { $0.split(separator: " then ").map { Step($0) } }
    }

    private static func lines(_ name: String) -> [[String]] {
        let here = #filePath
        let root = here.range(of: "/FiltersTests/").map { String(here[..<$0.lowerBound]) } ?? "."
        return String(decoding: readBytes("\(root)/wire/bank/\(name)"), as: UTF8.self).split(separator: "\n").filter {
            !$0.hasPrefix("#")
        }
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }
}

/// All bytes of a file.
func readBytes(_ path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "r") else { fatalError("cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe fread(&block, 1, block.count, file)
        if count == 0 { break }
        bytes += block[..<count]
    }
    return bytes
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
