import Testing

@testable import Engine

@Suite struct SocketAddressTests {
    @Test(
        "An address prints as it was written",
        arguments: [
            "127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8443", "[::]:80", "[2001:db8::1:0:0:1]:1",
            "[fe80::1%7]:53", ":80", "unix:/run/sluice.sock", "unix:@sluice", "unix:relative.sock",
        ])
    func roundTrip(text: String) throws {
        #expect(try SocketAddress.parse(text).description == text)
        #expect(SocketAddress(parsing: text) != nil)
    }

    @Test(
        "What is no address is refused with the reason",
        arguments: [
            ("127.0.0.1:99999", "port 99999 is out of range"), ("127.0.0.1:-1", "'-1' is not a number"),
            ("127.0.0.1:", "port is missing"), ("127.0.0.1", "has no port"), ("", "has no port"),
            ("[::1:80", "bracket is not closed"), ("[::1]", "has no port"), ("[::1]80", "has no port"),
            ("::1:80", "needs brackets"), ("[1.2.3.4]:80", "not an IPv6 address"), ("1.2.3:80", "not an IPv4 address"),
            ("1.2.3.256:80", "not an IPv4 address"), ("localhost:80", "is a name"), ("*:80", "is a name"),
            ("[fe80::1%no-such-interface]:1", "no network interface"), ("unix:", "path is empty"),
            ("unix:/" + String(repeating: "x", count: 107), "at most 107"), ("unix:/a\0b", "zero byte"),
            ("1.2.3.4:+80", "is not a number"), ("1.2.3.4: 80", "is not a number"), ("1.2.3.4:080000", "out of range"),
        ])
    func refused(text: String, reason: String) {
        #expect(SocketAddress(parsing: text) == nil)
        let error = #expect(throws: AddressError.self) { try SocketAddress.parse(text) }
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
    }

    @Test("An IPv4 address inside IPv6 is the IPv4 address")
    func mapped() throws {
        let mapped = try SocketAddress.parse("[::ffff:10.1.2.3]:80")
        #expect(mapped == SocketAddress(parsing: "10.1.2.3:80"))
        #expect(mapped.description == "10.1.2.3:80")
        #expect(mapped.ipBytes == [10, 1, 2, 3])
        #expect(mapped.family == .v4)
    }

    @Test("Parts of an address can be asked for")
    func parts() throws {
        let v6 = try SocketAddress.parse("[2001:db8::5]:443")
        #expect(v6.port == 443 && v6.ipText == "2001:db8::5" && v6.family == .v6)
        #expect(v6.ipBytes == [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5])
        #expect(v6.with(port: 1).description == "[2001:db8::5]:1")
        let unix = try SocketAddress.parse("unix:/a")
        #expect(unix.port == nil && unix.unixPath == "/a" && unix.ipBytes.isEmpty && unix.ipNumber == nil)
    }

    @Test(
        "Loopback is what cannot leave the machine",
        arguments: [
            ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true),
            ("unix:/a", true), ("128.0.0.1:1", false), ("0.0.0.0:1", false), ("[::]:1", false), (":1", false),
        ])
    func loopback(text: String, expected: Bool) throws {
        #expect(try SocketAddress.parse(text).isLoopback == expected)
    }
}
