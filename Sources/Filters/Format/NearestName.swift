/// Finds the name that was probably meant.
enum NearestName {
    /// The name that differs from `word` by the fewest letters; nil where that is more than a third of them.
    static func match(for word: String, among names: [String]) -> String? {
        let wanted = Array(word.uppercased().utf8.prefix(64))
        guard wanted.count > 2 else { return nil }
        var best: (name: String, distance: Int)?
        for name in names {
            let distance = distance(wanted, Array(name.uppercased().utf8))
            if distance <= wanted.count / 3, distance < best?.distance ?? .max { best = (name, distance) }
        }
        return best?.name
    }

    /// Levenshtein's.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1))
            }
            last = current
        }
        return last[right.count]
    }
}
