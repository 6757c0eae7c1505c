import Engine
import Glibc

/// A small DNS server on the loop of a test, on a port of 127.0.0.1 that the kernel picks; UDP and TCP.
final class NameServer {
    /// What is said about one type of a name.
    enum Answer {
        case addresses([String], ttl: UInt32 = 0)
        /// The name has nothing of this type.
        case nothing
        /// Another name, with these addresses.
        case alias(String, ttl: UInt32, [String], addressTTL: UInt32)
        case missing
        case broken
        case silence
    }

    struct Query: Equatable {
        let name: String
        let isV6: Bool
        let isTCP: Bool
    }

    private let loop: EventLoop
    private let udp: Int32
    private let tcp: Int32
    private var sources: [Source] = []
    private(set) var port: UInt16 = 0
    /// By name; types that are not said have nothing, names that are not there do not exist.
    var v4: [String: Answer] = [:]
    var v6: [String: Answer] = [:]
    /// UDP answers say that they do not fit.
    var isTruncating = false
    private(set) var queries: [Query] = []

    private final class Source: EventSource {
        var onReadable: () -> Void = {}
        override func ready(_ readiness: Readiness) { onReadable() }
    }

    init(_ loop: EventLoop) throws {
        self.loop = loop
        (tcp, udp) = try Self.bind()
        port = Syscalls.localAddress(udp)?.port ?? 0
        try Syscalls.listen(tcp, backlog: 8)
        try watch(udp) { [unowned self] _ in self.readPackets() }
        try watch(tcp) { [unowned self] _ in self.accept() }
    }

    /// A TCP and a UDP socket on the same port, which takes a few tries where many are taken.
    private static func bind() throws -> (tcp: Int32, udp: Int32) {
        for attempt in 1... {
            let tcp = try Syscalls.socket(.v4)
            let udp = Glibc.socket(
                AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            do {
                try Syscalls.bind(tcp, to: SocketAddress(v4: 0x7F00_0001, port: 0))
                try Syscalls.bind(udp, to: Syscalls.localAddress(tcp) ?? .unnamed)
                return (tcp, udp)
            } catch {
                Syscalls.close(tcp)
                Syscalls.close(udp)
                if attempt == 50 { throw error }
            }
        }
        return (-1, -1)
    }

    deinit { for source in sources where source.isRegistered { loop.close(source) } }

    var address: String { "127.0.0.1:\(port)" }

    func set(_ name: String, v4: Answer? = nil, v6: Answer? = nil) {
        self.v4[name] = v4
        self.v6[name] = v6
    }

    private func watch(_ fd: Int32, _ onReadable: @escaping (Source) -> Void) throws {
        let source = Source()
        source.onReadable = { [unowned source] in onReadable(source) }
        try loop.registerReadOnly(source, fd: fd, levelTriggered: true)
        sources.append(source)
    }

    private func readPackets() {
        var packet = [UInt8](repeating: 0, count: 2048)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        while true {
            let count = unsafe withUnsafeMutablePointer(to: &peer) { peer in
                unsafe peer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    unsafe recvfrom(udp, &packet, packet.count, 0, peer, &length)
                }
            }
            guard count > 12 else { return }
            guard let reply = answer(Array(packet[..<count]), isTCP: false) else { continue }
            _ = unsafe withUnsafePointer(to: &peer) { peer in
                unsafe peer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    unsafe sendto(udp, reply, reply.count, 0, peer, length)
                }
            }
        }
    }

    private func accept() {
        guard case .accepted(let fd, _) = Syscalls.accept(tcp) else { return }
        var input: [UInt8] = []
        try? watch(fd) { [unowned self] source in
            var buffer = [UInt8](repeating: 0, count: 2048)
            let count = unsafe recv(fd, &buffer, buffer.count, 0)
            guard count > 0 else { return self.loop.close(source) }
            input += buffer[..<count]
            while input.count >= 2, input.count >= 2 + Int(input[0]) << 8 + Int(input[1]) {
                let size = Int(input[0]) << 8 + Int(input[1])
                let reply = self.answer(Array(input[2..<2 + size]), isTCP: true) ?? []
                input.removeFirst(2 + size)
                let message = Self.bytes(UInt16(reply.count)) + reply
                // In two parts, so that whoever reads has to come back for the second.
                _ = unsafe Glibc.send(fd, Array(message[..<20]), 20, 0)
                _ = unsafe Glibc.send(fd, Array(message[20...]), message.count - 20, 0)
            }
        }
    }

    // MARK: Messages (RFC 1035 section 4)

    private func answer(_ query: [UInt8], isTCP: Bool) -> [UInt8]? {
        var labels: [String] = []
        var position = 12
        while position < query.count, query[position] != 0 {
            let end = position + 1 + Int(query[position])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[position + 1..<end], as: UTF8.self))
            position = end
        }
        guard position + 5 <= query.count else { return nil }
        let question = Array(query[12..<position + 5])
        let name = labels.joined(separator: ".").lowercased()
        let isV6 = query[position + 2] == 28
        queries.append(Query(name: name, isV6: isV6, isTCP: isTCP))
        let exists = v4[name] != nil || v6[name] != nil
        switch (isV6 ? v6[name] : v4[name]) ?? (exists ? .nothing : .missing) {
        case .silence: return nil
        case .broken: return header(query, code: 2, answers: 0) + question
        case .missing: return header(query, code: 3, answers: 0) + question
        case .nothing: return header(query, code: 0, answers: 0) + question
        case .addresses(let addresses, let ttl):
            if isTruncating && !isTCP { return header(query, code: 0, answers: 0, truncated: true) + question }
            return header(query, code: 0, answers: addresses.count) + question
                + addresses.flatMap { record([0xC0, 12], $0, ttl) }
        case .alias(let other, let ttl, let addresses, let addressTTL):
            let target = encode(other)
            let alias = [0xC0, 12] + Self.bytes(UInt16(5)) + Self.bytes(UInt16(1)) + Self.bytes(ttl)
            return header(query, code: 0, answers: 1 + addresses.count) + question + alias
                + Self.bytes(UInt16(target.count)) + target + addresses.flatMap { record(target, $0, addressTTL) }
        }
    }

    private func header(_ query: [UInt8], code: UInt8, answers: Int, truncated: Bool = false) -> [UInt8] {
        query[..<2] + [truncated ? 0x83 : 0x81, 0x80 | code, 0, 1] + Self.bytes(UInt16(answers)) + [0, 0, 0, 0]
    }

    private func record(_ name: [UInt8], _ address: String, _ ttl: UInt32) -> [UInt8] {
        let text = address.contains(":") ? "[\(address)]:0" : "\(address):0"
        let bytes = SocketAddress(parsing: text)?.ipBytes ?? []
        return name + Self.bytes(UInt16(bytes.count == 4 ? 1 : 28)) + Self.bytes(UInt16(1)) + Self.bytes(ttl)
            + Self.bytes(UInt16(bytes.count)) + bytes
    }

    private func encode(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
    }
}
