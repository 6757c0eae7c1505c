/// The findings of one run, each once.
final class ConformanceReport {
    private let skips: Set<ConformanceCheck>
    private(set) var findings: [Finding] = []

    init(skips: Set<ConformanceCheck>) { self.skips = skips }

    /// Adds a finding, unless it is known already, with whatever script, or not wanted.
    func add(_ check: ConformanceCheck, _ sentence: String, script: String = "") {
        guard !skips.contains(check), !findings.contains(where: { $0.check == check && $0.sentence == sentence }) else {
            return
        }
        findings.append(Finding(check, sentence, script: script))
    }

    /// Compares what is said of bytes in one piece with what is said of them in all others.
    func compare(_ input: [UInt8], script: String = "", _ body: ([[UInt8]]) -> String) {
        guard !skips.contains(.splits) else { return }
        var splitter = Splitter(input)
        splitter.cutLimit = 64
        splitter.randomRuns = 4
        splitter.addsEmptyPieces = true
        guard let difference = splitter.run(body).difference else { return }
        add(.splits, "the outcome depends on how the bytes are cut: \(difference)", script: script)
    }
}
