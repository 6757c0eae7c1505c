/// Finds the word that was probably meant.
package enum Nearest {
    /// The word among `words` that is nearest to `word`; nil if none is near enough to be a typing mistake.
    package static func match(for word: String, among words: [String]) -> String? {
        let wanted = Array(word.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
        if let same = words.first(where: { plain($0) == plain(word) }) { return same }
        // One slip in a short word, two from six letters on, three in long ones.
        let allowed = wanted.count < 3 ? 0 : min(3, max(1, wanted.count / 3))
        var best: (word: String, distance: Int)?
        for candidate in words {
            let letters = Array(candidate.lowercased().unicodeScalars)
            guard letters.count <= 64, abs(letters.count - wanted.count) <= allowed else { continue }
            let distance = distance(wanted, letters)
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word ?? longer(word, words)
    }

    /// The only word that begins with this one: `warn` for `warning`.
    private static func longer(_ word: String, _ words: [String]) -> String? {
        let longer = words.filter { word.count >= 3 && $0.hasPrefix(word.lowercased()) }
        return longer.count == 1 ? longer[0] : nil
    }

    /// Without the differences of spelling styles: `cacheTTL`, `cache-ttl` and `cache_ttl` are the same.
    private static func plain(_ word: String) -> String {
        String(String.UnicodeScalarView(word.lowercased().unicodeScalars.filter { $0 != "_" && $0 != "-" }))
    }

    /// Damerau-Levenshtein, the variant in which no pair of letters is edited twice.
    static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var older = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for i in 0..<left.count {
            var row = [i + 1] + [Int](repeating: 0, count: right.count)
            for j in 0..<right.count {
                let swap = i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j]
                let substitution = last[j] + (left[i] == right[j] ? 0 : 1)
                row[j + 1] = min(substitution, last[j + 1] + 1, row[j] + 1, swap ? older[j - 1] + 1 : .max)
            }
            older = last
            last = row
        }
        return last[right.count]
    }
}
