import Testing

@testable import Filters

@Suite("Who counts as one client") struct ClientNetworkTests {
    private func network(_ text: String) -> ClientNetwork {
        let bytes = Array(text.utf8)
        // SAFETY: the array outlives the span.
        return unsafe ClientNetwork(bytes.span.bytes)
    }

    @Test(
        "an IPv4 address is a client, however it is written",
        arguments: [
            ("192.0.2.1", 0xC000_0201), ("0.0.0.0", 0), ("255.255.255.255", 0xFFFF_FFFF),
            ("::ffff:192.0.2.1", 0xC000_0201), ("::FFFF:c000:201", 0xC000_0201),
            ("0:0:0:0:0:ffff:192.0.2.1", 0xC000_0201),
        ] as [(String, UInt32)])
    func ipv4(text: String, address: UInt32) { #expect(network(text) == .ipv4(address)) }

    @Test(
        "of an IPv6 address the network counts, however it is written",
        arguments: [
            ("2001:db8:1:2::1", 0x2001_0db8_0001_0002), ("2001:DB8:1:2:ffff:ffff:ffff:ffff", 0x2001_0db8_0001_0002),
            ("2001:db8::", 0x2001_0db8_0000_0000), ("::1", 0), ("::", 0), ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004), ("fe80::1%eth0", 0xfe80_0000_0000_0000),
            ("64:ff9b::192.0.2.1", 0x0064_ff9b_0000_0000), ("1:2:3:4:5:6:192.0.2.1", 0x0001_0002_0003_0004),
        ] as [(String, UInt64)])
    func ipv6(text: String, address: UInt64) { #expect(network(text) == .ipv6(address)) }

    @Test(
        "what is no address is none",
        arguments: [
            "", ":", ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "::1:2:3:4:5:6:7:8", "1:2:3:",
            ":1:2:3:4:5:6:7", "g::1", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1..2.3",
            ".1.2.3", "1.2.3.", "1.2.3.4x", "0001.2.3.4", "unknown", "%", "::%", "::1.2.3.4.5",
        ])
    func other(text: String) { #expect(network(text) == (text == "::%" ? .ipv6(0) : .other)) }
}
