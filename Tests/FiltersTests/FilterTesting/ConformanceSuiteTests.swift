import FilterAPI
import FilterTesting
import Testing

/// That the conformance suite finds what it is there to find.
@Suite("The conformance suite")
struct ConformanceSuiteTests {
    private static let expected: [(Broken.Mistake, ConformanceCheck)] = [
        (.takesHead, .rules), (.holdsEnd, .rules), (.drops, .rules), (.pausesOnly, .rules), (.answersTwice, .rules),
        (.sendsAfterEnd, .rules), (.sendsEarly, .rules), (.holdsForEver, .holding), (.losesBytes, .bytes),
        (.doublesBytes, .bytes), (.addsBytes, .bytes), (.keepsLength, .framing), (.losesEnd, .bytes),
        (.caresForPieces, .splits), (.undescribedReason, .reasons), (.undescribedStat, .statistics), (.leaks, .balance),
        (.shares, .isolation), (.keepsState, .release), (.keepsFilter, .release), (.retriesForEver, .replays),
        (.remembersReplays, .replayFromAbove), (.refusesOthers, .workers),
        (.forgetsEnd, .completeness),
    ]

    @Test("finds nothing where nothing is wrong")
    func good() {
        #expect(Conformance.findings(Broken.self) == [])
        #expect(Conformance.findings(BrokenBytes.self, .init { $0.sides = [.client, .upstream] }) == [])
    }

    @Test("finds each mistake", arguments: expected)
    func mistakes(mistake: Broken.Mistake, check: ConformanceCheck) {
        let findings = Conformance.findings(Broken.self, .init(config: "{ mistake: \(mistake.rawValue) }"))
        #expect(findings.contains { $0.check == check }, "\(findings)")
        #expect(findings.allSatisfy { $0.sentence.count > 10 })
    }

    @Test("has a filter that is broken for each mistake that a filter can make")
    func complete() {
        #expect(Set(Self.expected.map(\.0)) == Set(Broken.Mistake.allCases).subtracting([.none]))
        let others: Set<ConformanceCheck> = [
            .manifest, .settings, .interest, .terminal, .handshake,
        ]
        #expect(Set(Self.expected.map(\.1)).union(others) == Set(ConformanceCheck.allCases))
    }

    @Test("says what is wrong with a description")
    func description() {
        let findings = Conformance.findings(Misdescribed.self)
        for word in [
            "the id `Mis-described`", "the summary", "`Never` is not in snake case", "meaning of the statistic `Never`",
            "`twice` is described twice", "the reason `whatever`", "meaning of the reason `whatever`",
            "never asked for", "bits that mean no event", "does not have `.lifetime`", "a key that it does not have",
        ] {
            #expect(findings.contains { $0.sentence.contains(word) }, "\(word)")
        }
    }

    @Test(
        "finds the mistakes of filters of bytes",
        arguments: [
            (BrokenBytes.Mistake.answers, ConformanceCheck.rules), (.holdsWithoutToken, .rules), (.replays, .rules),
            (.endsEarly, .rules), (.losesBytes, .bytes), (.neverReady, .handshake), (.caresForPieces, .splits),
            (.caresForPieces, .reasons),
        ])
    func bytes(mistake: BrokenBytes.Mistake, check: ConformanceCheck) {
        let findings = Conformance.findings(BrokenBytes.self, .init(config: "{ mistake: \(mistake.rawValue) }"))
        #expect(findings.contains { $0.check == check }, "\(findings)")
    }

    @Test("knows what a peer says first that the filter keeps to itself")
    func opening() {
        let findings = Conformance.findings(
            FirstLine.self, ConformanceOptions { $0.opening = Array("a line of some length\r\n".utf8) })
        #expect(findings == [])
        #expect(Conformance.findings(FirstLine.self).contains { $0.check == .bytes })
    }

    @Test("finds a terminal that ends nothing")
    func terminal() {
        #expect(Conformance.findings(DeadEnd.self).map(\.check) == [.terminal])
    }

    @Test("says that settings are wrong, and leaves out what it is told to leave out")
    func options() {
        let wrong = Conformance.findings(Broken.self, .init(config: "{ mistake: unheardOf }"))
        #expect(wrong.map(\.check) == [.settings])
        let skipped = Conformance.findings(
            Broken.self, .init(config: "{ mistake: undescribedStat }") { $0.skips = [.statistics] })
        #expect(skipped == [])
        let changed = Conformance.findings(
            Broken.self, .init(config: "{ mistake: addsBytes }") { $0.changes = .responseBody })
        #expect(changed == [])
    }
}
