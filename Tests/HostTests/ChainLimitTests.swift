import Testing

@testable import Host

@Suite("The length of chains") struct ChainLimitTests {
    private func ciphers(_ count: Int) -> String {
        (1...count).map { "{ cipher: {}, name: c\($0) }" }.joined(separator: ", ")
    }

    @Test("64 filters are the most, for listeners and for clusters", arguments: [true, false])
    func length(ofCluster: Bool) throws {
        func bench(_ count: Int) throws -> HostBench {
            try HostBench(
                """
                listeners:
                  front: { bind: 127.0.0.1:0, chain: [ \(ciphers(ofCluster ? 1 : count - 1)), tcp_proxy: app ] }
                clusters:
                  app: { endpoints: [ "127.0.0.1:1" ], chain: [ \(ciphers(ofCluster ? count : 1)) ] }
                """, [Cipher.self])
        }
        _ = try bench(64)
        let error = #expect(throws: HostBench.Refused.self) { try bench(65) }
        #expect(error?.text.contains("this chain has 65 filters; 64 are the most") == true)
    }
}
