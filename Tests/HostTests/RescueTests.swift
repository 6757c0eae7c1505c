import FilterAPI
import Testing

@testable import Host

@Suite("What a fault becomes") struct RescueTests {
    private static let table: [(Fault.Kind, Int, [String])] = [
        (.badRequest, 400, ["DPE"]), (.requestTimeout, 408, ["SI"]), (.bodyTooLarge, 413, []),
        (.targetTooLong, 414, ["DPE"]), (.expectationFailed, 417, ["DPE"]), (.misdirected, 421, []),
        (.headTooLarge, 431, ["DPE"]), (.notImplemented, 501, ["DPE"]), (.versionNotSupported, 505, ["DPE"]),
        (.noRoute, 404, ["NR"]), (.noCluster, 503, ["NC"]), (.noEndpoint, 503, ["UH"]),
        (.nameNotResolved, 503, ["DF"]), (.connectFailed, 503, ["UF"]), (.connectTimeout, 503, ["UF"]),
        (.overflow, 503, ["UO"]), (.upstreamClosed, 503, ["UC"]), (.upstreamReset, 503, ["UR"]),
        (.upstreamProtocol, 502, ["UPE"]), (.upstreamTimeout, 504, ["UT"]), (.idleTimeout, 504, ["SI"]),
        (.clientGone, 400, ["DC"]), (.filterFailed, 500, ["LR"]), (.filterStalled, 500, ["LR"]),
        (.overloaded, 503, ["OM"]), (.draining, 503, ["LR"]),
        (.handshakeFailed, 503, ["UF"]),
    ]

    @Test("Each kind has its status, its flags by Envoy's names, and words for the client")
    func verdicts() {
        for (kind, status, flags) in Self.table {
            let verdict = Rescue.verdict(Fault(kind, "test"), duringRequest: false)
            #expect(verdict.status.code == status, "\(kind)")
            #expect(verdict.flags.shortNames.map(\.description) == flags, "\(kind)")
            #expect(verdict.text.description.hasSuffix("\n"), "\(kind)")
        }
        #expect(Set(Self.table.map(\.0)).count == Fault.Kind.allCases.count, "every kind is in the table")
    }

    @Test("Whose silence it was decides between 408 and 504")
    func silence() {
        #expect(Rescue.verdict(Fault(.idleTimeout, "test"), duringRequest: true).status == 408)
        #expect(Rescue.verdict(Fault(.idleTimeout, "test"), duringRequest: false).status == 504)
    }
}
