internal import Engine
internal import FilterAPI

/// Connections that are kept without a request.
extension ClusterPool {
    /// A kept connection to an endpoint, the one used last; those that have gone bad are closed on the way.
    func takeIdle(_ endpoint: Endpoint, for stream: HTTPStream) -> ClientConnection? {
        while let connection = endpoint.idle.popLast() {
            connection.isIdle = false
            idleCount -= 1
            // A shared one may have heard in this very turn that the upstream takes no more.
            let isUsable = connection.isShared ? connection.hasRoom : !connection.isStale
            if isUsable, isQuiet(connection, for: stream) { return connection }
            connection.close()
        }
        return nil
    }

    /// A request that cannot simply be sent again is not risked on a connection that the upstream has just closed: the
    /// kernel is asked once more. Others are tried again: see ``HTTPStream/upstreamFailed(_:wasReused:sentNothing:)``.
    private func isQuiet(_ connection: ClientConnection, for stream: HTTPStream) -> Bool {
        // Over HTTP/2 an upstream may say something at any time, and tells what it has not looked at.
        if connection.isShared || stream.canBeSentAgain { return true }
        return Syscalls.peek(connection.fd) == .quiet
    }

    func keep(_ connection: ClientConnection) {
        // Another worker may need the room more than this one needs the connection.
        guard !isRetired, idleTimeout > 0, connection.endpoint.isListed, !quota.isAwaited else {
            return connection.close()
        }
        connection.idleSince = worker.loop.now
        connection.isIdle = true
        connection.endpoint.idle.append(connection)
        idleCount += 1
        if !idleTimer.isArmed { worker.loop.schedule(idleTimer, after: idleTimeout) }
    }

    /// Takes a connection that closes off the lists.
    func forget(_ connection: ClientConnection) {
        let endpoint = connection.endpoint
        if unsafe endpoint.making === connection { unsafe endpoint.making = nil }
        unlist(connection)
        if connection.isIdle {
            connection.isIdle = false
            idleCount -= 1
            if let index = endpoint.idle.firstIndex(where: { $0 === connection }) { endpoint.idle.remove(at: index) }
        } else if !endpoint.spare.isEmpty {
            endpoint.spare.removeAll { $0 === connection }
        }
    }

    /// Closes the connection that has been kept longest, so that one to another endpoint can be made.
    ///
    /// - Returns: whether there was one.
    func makeRoom() -> Bool {
        guard idleCount > 0 else { return false }
        var oldest: ClientConnection?
        for endpoint in endpoints {
            guard let first = endpoint.idle.first else { continue }
            if let known = oldest, known.idleSince <= first.idleSince { continue }
            oldest = first
        }
        oldest?.close()
        return oldest != nil
    }

    /// Closes what carries nothing and what nobody waits for.
    func dropUnused(of endpoint: Endpoint) {
        closeIdle(of: endpoint, first: endpoint.idle.count)
        let spare = endpoint.spare
        endpoint.spare = []
        for connection in spare { connection.close() }
    }

    /// Closes what has been kept for its time, and looks again when the next one is due.
    func closeIdle() {
        let now = worker.loop.now
        var next = Nanoseconds.max
        for endpoint in endpoints {
            let due = endpoint.idle.firstIndex { $0.idleSince + idleTimeout > now } ?? endpoint.idle.count
            closeIdle(of: endpoint, first: due)
            if let left = endpoint.idle.first { next = min(next, left.idleSince + idleTimeout) }
        }
        if next != .max { worker.loop.schedule(idleTimer, after: next - now) }
    }

    private func closeIdle(of endpoint: Endpoint, first count: Int) {
        guard count > 0 else { return }
        let closing = endpoint.idle.prefix(count)
        endpoint.idle.removeFirst(count)
        idleCount -= count
        for connection in closing {
            connection.isIdle = false
            if connection.idleSince + idleTimeout <= worker.loop.now { stats.cluster.add(.cxIdleTimeout) }
            connection.close()
        }
    }
}
