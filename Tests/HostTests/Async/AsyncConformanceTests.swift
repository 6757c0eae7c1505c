import FilterTesting
import Testing

@Suite("Asynchronous filters keep the rules of filters")
struct AsyncConformanceTests {
    @Test(
        "whatever they do",
        arguments: [
            Scripted.Act.pass, .reply, .ask, .askLate, .read, .readAnswer, .sleep, .rescue, .replace, .children, .hang,
        ])
    func conforms(act: Scripted.Act) {
        let findings = Conformance.findings(
            Scripted.self,
            ConformanceOptions(config: "{ act: \(act.rawValue) }") { options in
                // It describes none of its own.
                options.skips = [.statistics]
            })
        #expect(findings == [], "\(findings.map(\.description).joined(separator: "\n"))")
    }
}
