import COpenSSL
import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The state machine of TLS, call by call") struct TLSSessionTests {
    private let lab = TLSLab()

    private func ends(_ version: TLSVersion) throws -> (client: TLSBench, server: TLSBench) {
        let client = try lab.makeClient { ($0.minVersion, $0.maxVersion) = (version, version) }
        return (TLSBench(client, .upstream), TLSBench(try lab.makeServer(), .client))
    }

    /// Calls until there was room for all, with rooms of `size` bytes.
    private func write(
        _ size: Int, _ call: (UnsafeMutableRawBufferPointer) throws -> TLSSession.Progress, of session: TLSSession
    )
        throws -> (progress: TLSSession.Progress, bytes: [UInt8], calls: Int)
    {
        var bytes: [UInt8] = []
        for calls in 1... {
            var room = [UInt8](repeating: 0, count: size)
            let progress = try unsafe room.withUnsafeMutableBytes { unsafe try call($0) }
            #expect(session.written <= size)
            bytes += room.prefix(session.written)
            if case .needsRoom = progress { continue }
            return (progress, bytes, calls)
        }
        fatalError("it has written for ever")
    }

    @Test(
        "what finds no room is written bit by bit, from wherever the bytes have gone meanwhile",
        arguments: TLSVersion.allCases, [1, 333, 5000])
    func smallRooms(_ version: TLSVersion, _ size: Int) throws {
        let (client, server) = try ends(version)
        TLSLab.exchange(client, server)
        let session = try #require(client.session)
        let bytes = (0..<(size == 1 ? 2000 : 40_000)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sealed = unsafe try write(
            size,
            { room in
                let moved = bytes.map { $0 }
                return try unsafe moved.withUnsafeBytes { unsafe try session.write($0, room: room) }
            }, of: session)
        #expect(sealed.calls >= sealed.bytes.count / size)
        server.receive(sealed.bytes)
        #expect(server.toInside == bytes && server.fault == nil)
    }

    @Test("a handshake is written into rooms of one byte", arguments: TLSVersion.allCases)
    func handshakeInSmallRooms(_ version: TLSVersion) throws {
        let (client, server) = try ends(version)
        let session = try TLSSession(try #require(client.session).context, host: "a.test")
        while !(session.isOpen && server.isOpen) {
            let said = unsafe try write(1, { unsafe try session.shakeHands(room: $0) }, of: session)
            server.receive(said.bytes)
            let answer = server.takeToPeer()
            try unsafe answer.withUnsafeBytes { bytes in
                unsafe session.lend(bytes)
                defer { session.takeBack() }
                let more = unsafe try write(1, { unsafe try session.shakeHands(room: $0) }, of: session)
                server.receive(more.bytes)
                #expect(session.unread == 0 || session.isOpen)
            }
            try #require(server.fault == nil)
        }
    }

    @Test("errors that others have left behind are not taken for its own", arguments: TLSVersion.allCases)
    func errorQueue(_ version: TLSVersion) throws {
        func leaveError() {
            let bio = unsafe BIO_new(BIO_s_mem())
            _ = unsafe PEM_read_bio_X509(bio, nil, nil, nil)
            unsafe BIO_free(bio)
            #expect(ERR_peek_error() != 0)
        }
        let (client, server) = try ends(version)
        while !client.toPeer.isEmpty || !server.toPeer.isEmpty {
            leaveError()
            server.receive(client.takeToPeer())
            leaveError()
            client.receive(server.takeToPeer())
        }
        #expect(client.isOpen && server.isOpen)
        leaveError()
        client.send("one", last: true)
        leaveError()
        server.receive(client.takeToPeer(), last: true)
        #expect(server.takeText() == "one" && server.fault == nil && client.fault == nil)
    }
}
