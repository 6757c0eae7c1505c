import Testing

@testable import Filters

@Suite("A client's first message of TLS") struct ClientHelloTests {
    private static let samples: [(bytes: [UInt8], hello: ClientHello)] = [
        (Hellos.manyProtocols, ClientHello(serverName: "api.example.com", applicationProtocols: ["h2", "http/1.1"])),
        (Hellos.tls12, ClientHello(serverName: "b.example.org")),
        (Hellos.nameless, ClientHello()),
    ]

    /// The answer after all pieces; each one before the last must leave it open.
    private func read(_ pieces: ArraySlice<UInt8>...) -> ClientHelloReader.Answer { read(pieces) }

    private func read(_ pieces: [ArraySlice<UInt8>]) -> ClientHelloReader.Answer {
        var reader = ClientHelloReader()
        var answer = ClientHelloReader.Answer.needMore
        for piece in pieces {
            #expect(answer == .needMore)
            answer = unsafe reader.read(Array(piece).span.bytes)
        }
        return answer
    }

    private func read(whole bytes: [UInt8]) -> ClientHelloReader.Answer { read(bytes[...]) }

    @Test("real messages are read, cut in two at every place", arguments: samples.indices)
    func everySplit(index: Int) {
        let (bytes, hello) = Self.samples[index]
        #expect(read(whole: bytes) == .hello(hello))
        for cut in 1..<bytes.count {
            #expect(read(bytes[..<cut], bytes[cut...]) == .hello(hello))
        }
    }

    @Test("real messages are read in single bytes, and not before the last one", arguments: samples.indices)
    func singleBytes(index: Int) {
        let (bytes, hello) = Self.samples[index]
        #expect(read(bytes.indices.map { bytes[$0...$0] }) == .hello(hello))
        #expect(read(whole: bytes.dropLast()) == .needMore)
    }

    @Test("records of any size may carry the message, empty ones in between", arguments: [1, 2, 7, 100])
    func manyRecords(size: Int) {
        for (bytes, hello) in Self.samples {
            let cut = records(Array(bytes.dropFirst(5)), size: size, empty: 32)
            #expect(read(whole: cut) == .hello(hello))
            #expect(read(cut.indices.map { cut[$0...$0] }) == .hello(hello))
        }
    }

    private func records(_ message: [UInt8], size: Int, empty: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<empty { bytes += [22, 3, 1, 0, 0] }
        for start in stride(from: 0, to: message.count, by: size) {
            let piece = message[start..<min(message.count, start + size)]
            bytes += [22, 3, 1, UInt8(piece.count >> 8), UInt8(piece.count & 255)] + piece
        }
        return bytes
    }

    @Test("what follows the message changes nothing") func behind() {
        let (bytes, hello) = Self.samples[0]
        #expect(read(whole: bytes + [1, 2, 3]) == .hello(hello))
        var reader = ClientHelloReader()
        _ = unsafe reader.read(bytes.span.bytes)
        #expect(unsafe reader.read([71, 69, 84].span.bytes) == .hello(hello))
    }

    @Test(
        "other protocols are told from it as early as can be",
        arguments: ["G", "GET / HTTP/1.1\r\n", "\u{16}x", "\0", "PRI * HTTP/2.0", "SSH-2.0-x\r\n"])
    func otherProtocols(text: String) { #expect(read(whole: Array(text.utf8)) == .notTLS) }

    @Test("an old form of the message, in SSL 2, is not TLS") func ssl2() {
        #expect(read(whole: [0x80, 0x2E, 1, 3, 1]) == .notTLS)
    }

    @Test("what no client may say is refused, with its reason") func malformed() {
        func reason(_ bytes: [UInt8]) -> ClientHelloReader.Answer { read(whole: bytes) }
        #expect(reason([22, 3, 1, 0x40, 1]) == .malformed("tls.record_too_large"))
        #expect(reason([22, 3, 1, 0, 1, 2]) == .malformed("tls.no_client_hello"))
        #expect(reason([22, 3, 1, 0, 4, 1, 0, 0x40, 1]) == .malformed("tls.hello_too_large"))
        #expect(reason([22, 3, 1, 0, 1, 1, 23]) == .malformed("tls.hello_interrupted"))
        #expect(reason([22, 3, 1, 0, 1, 1, 22, 2]) == .malformed("tls.hello_interrupted"))
        let empty = Array(repeating: [22, 3, 1, 0, 0] as [UInt8], count: 33).flatMap { $0 }
        #expect(reason(empty) == .malformed("tls.empty_records"))
        #expect(reason([22, 3, 1, 0, 4, 1, 0, 0, 0]) == .malformed("tls.bad_hello"))
    }

    @Test("a length that does not fit is refused at every place, and nothing traps") func lengths() {
        let bytes = Self.samples[0].bytes
        for place in 5..<bytes.count {
            for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                var changed = bytes
                changed[place] = value
                _ = read(whole: changed)
            }
        }
        // Session, suites, compression, all extensions, the first extension, the list of names, the name.
        for place in [43, 77, 114, 117, 121, 123, 126] {
            for change: Int in [-1, 1] {
                var changed = bytes
                changed[place] = UInt8(Int(changed[place]) + change)
                guard case .malformed = read(whole: changed) else {
                    Issue.record("the length at \(place) was taken, changed by \(change)")
                    continue
                }
            }
        }
    }

    /// A message with these extensions.
    private func message(_ extensions: [UInt8]...) -> [UInt8] {
        let all = extensions.flatMap { $0 }
        let body = [3, 3] + [UInt8](repeating: 9, count: 32) + [0, 0, 2, 0x13, 1, 1, 0] + two(all.count) + all
        return records([1, 0] + two(body.count) + body, size: 1 << 14)
    }

    private func two(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

    private func name(_ text: [UInt8], kind: UInt8 = 0) -> [UInt8] {
        let entry = [kind] + two(text.count) + text
        return [0, 0] + two(entry.count + 2) + two(entry.count) + entry
    }

    private func serverName(_ text: String) -> ClientHelloReader.Answer { read(whole: message(name(Array(text.utf8)))) }

    @Test("names are compared in lower case, without a dot at the end") func names() {
        let label = String(repeating: "a", count: 62)
        let long = [label + "a", label, label, label].joined(separator: ".") + "b"
        for (text, known) in [
            ("A.B", "a.b"), ("a.b.", "a.b"), ("x_1-y.test", "x_1-y.test"), ("localhost", "localhost"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"), (long, long), (long + ".", long),
        ] {
            #expect(serverName(text) == .hello(ClientHello(serverName: known)), "\(text)")
        }
        #expect(long.utf8.count == 253)
    }

    @Test(
        "what is no host name is no name",
        arguments: [
            "127.0.0.1", "10", "::1", "[::1]", "a..b", ".a", ".", "a b", "a\0.b", "\0", "é.example", "a/b", "*.a",
            String(repeating: "a", count: 64) + ".b", String(repeating: "a.", count: 127) + "b", "a..",
        ])
    func noNames(text: String) { #expect(serverName(text) == .hello(ClientHello())) }

    @Test("a list of names that could be read in two ways is refused") func ambiguous() {
        let one = name(Array("a.test".utf8))
        #expect(read(whole: message(one, one)) == .malformed("tls.bad_server_name"))
        #expect(read(whole: message(name([], kind: 0))) == .malformed("tls.bad_server_name"))
        #expect(read(whole: message(name(Array("a".utf8), kind: 1))) == .malformed("tls.bad_server_name"))
        let two: [UInt8] = [0, 0, 0, 10, 0, 8, 0, 0, 1, 97, 0, 0, 1, 98]
        #expect(read(whole: message(two)) == .malformed("tls.bad_server_name"))
    }

    @Test("protocols without a name, or twice a list of them, are refused") func protocols() {
        let h2: [UInt8] = [0, 16, 0, 5, 0, 3, 2, 104, 50]
        #expect(read(whole: message(h2)) == .hello(ClientHello(applicationProtocols: ["h2"])))
        #expect(read(whole: message(h2, h2)) == .malformed("tls.bad_alpn"))
        #expect(read(whole: message([0, 16, 0, 2, 0, 0])) == .malformed("tls.bad_alpn"))
        #expect(read(whole: message([0, 16, 0, 3, 0, 1, 0])) == .malformed("tls.bad_alpn"))
        #expect(read(whole: message([0, 16, 0, 4, 0, 2, 9, 104])) == .malformed("tls.bad_alpn"))
    }
}
