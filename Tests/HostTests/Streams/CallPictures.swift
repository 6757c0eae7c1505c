import Engine

/// The pictures of docs/filters.md, each as the calls that it shows, in their order.
enum CallPictures {
    private static let names: Set<Substring> = [
        "init", "open", "close", "wake", "requestHead", "requestBody", "requestTrailers", "clusterAttached",
        "endpointPicked", "faultBelow", "responseHead", "responseBody", "responseTrailers",
    ]

    static func read() throws -> [[String]] {
        let here = #filePath
        let root = String(here[..<(here.firstRange(of: "/Tests/HostTests/")?.lowerBound ?? here.endIndex)])
        let bytes = try Syscalls.contents(of: "\(root)/docs/filters.md", limit: 1 << 20)
        var pictures: [[String]] = []
        var lower: Int?
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                lower = nil
                if line == "```text order" { pictures.append([]) }
            } else if let column = line.firstRange(of: "lower"), line.hasPrefix("client ") {
                // The first line of a picture names the columns.
                lower = line.distance(from: line.startIndex, to: column.lowerBound)
            } else if let lower {
                pictures[pictures.count - 1] += calls(line, lower: lower)
            }
        }
        return pictures
    }

    /// Arrows to the left are followed to the left. Behind a `│` is what a filter does.
    private static func calls(_ line: Substring, lower: Int) -> [String] {
        guard !line.contains("│") else { return [] }
        var found: [String] = []
        var column = 0
        for word in line.split(separator: " ", omittingEmptySubsequences: false) {
            if names.contains(word) { found.append("\(column < lower ? "upper" : "lower") \(word)") }
            column += word.count + 1
        }
        return line.contains("◄") ? found.reversed() : found
    }
}
