internal import CCares
internal import Engine

/// The sockets of one lookup: c-ares opens, reads, writes and closes them; the loop only says when.
final class LookupSockets {
    private let loop: EventLoop
    private var sockets: [Int32: Socket] = [:]
    /// Called with the descriptors that can be read and written, -1 for none.
    var onReady: (_ read: Int32, _ write: Int32) -> Void = { _, _ in }

    /// One socket.
    ///
    /// Level triggered: c-ares reads a TCP stream piece by piece, and is not asked whether it has read all.
    private final class Socket: EventSource {
        unowned let owner: LookupSockets

        init(owner: LookupSockets) { self.owner = owner }

        override func ready(_ readiness: Readiness) {
            let fd = fd
            let canRead = !readiness.isDisjoint(with: [.readable, .error, .hangup])
            owner.onReady(canRead ? fd : -1, readiness.contains(.writable) ? fd : -1)
        }
    }

    init(loop: EventLoop) { self.loop = loop }

    /// c-ares wants to know when a socket can be read or written; neither means that it closes the socket now.
    func change(_ fd: Int32, read: Bool, write: Bool) {
        var interest: Readiness = []
        if read { interest.insert(.readable) }
        if write { interest.insert(.writable) }
        if interest.isEmpty {
            if let socket = sockets.removeValue(forKey: fd) { loop.deregister(socket) }
            return
        }
        // If the kernel refuses, the lookup ends by its time, like one that nobody answers.
        if let socket = sockets[fd] {
            try? loop.watch(socket, for: interest)
        } else {
            let socket = Socket(owner: self)
            sockets[fd] = socket
            try? loop.registerLevelTriggered(socket, fd: fd, for: interest)
        }
    }

    var isEmpty: Bool { sockets.isEmpty }
}
