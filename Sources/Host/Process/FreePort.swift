internal import Engine

/// Whether a port of the loopback address can be bound now.
enum FreePort {
    static func isFree(_ port: UInt16) -> Bool {
        guard let socket = try? ListeningSocket.open(SocketAddress(v4: 0x7F00_0001, port: port), backlog: 1) else {
            return false
        }
        socket.close()
        return true
    }
}
