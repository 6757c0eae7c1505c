internal import Engine
internal import FilterAPI

/// Connections that many streams share, over HTTP/2: those that carry streams and may take more, and those that are being
/// made.
extension ClusterPool {
    /// How many streams wait together for a connection, beside the one that it is made for: as many as an upstream that has
    /// said nothing yet may be sent.
    static let mostPassengers = 99

    /// A connection that carries streams already and takes one more.
    func takeShared(_ endpoint: Endpoint) -> ClientConnection? {
        guard !endpoint.shared.isEmpty else { return nil }
        return endpoint.shared.first { $0.hasRoom }
    }

    func serve(_ stream: HTTPStream, on connection: ClientConnection) {
        if connection.isShared, !connection.isListedAsShared {
            connection.isListedAsShared = true
            connection.endpoint.shared.append(connection)
        }
        connection.serve(stream)
    }

    func unlist(_ connection: ClientConnection) {
        guard connection.isListedAsShared else { return }
        connection.isListedAsShared = false
        connection.endpoint.shared.removeAll { $0 === connection }
    }

    /// A stream waits for a connection that is being made for another one.
    func board(_ connection: ClientConnection, _ stream: HTTPStream) {
        unsafe stream.awaited = connection
        stream.isWaiting = true
        connection.passengers += 1
        connection.endpoint.waiting.append(stream)
    }

    /// A stream that waits for the connection beside the one that it is made for.
    func passenger(of connection: ClientConnection) -> HTTPStream? {
        guard connection.passengers > 0 else { return nil }
        var next = unsafe connection.endpoint.waiting.first
        while let stream = next {
            if unsafe stream.awaited === connection, unsafe connection.waiter !== stream { return stream }
            next = unsafe stream.nextWaiting
        }
        return nil
    }

    /// Whoever waits for a connection looks for another one: it carries one stream at a time, takes no more, or has closed.
    func release(passengersOf connection: ClientConnection) {
        while let stream = passenger(of: connection) {
            part(stream, connection)
            connect(stream)
        }
    }

    /// A shared connection was made, or has less to do: it takes whoever waits, or is kept.
    ///
    /// - Parameter isNew: it was just made, and the upstream has not said yet how much it takes.
    func settle(_ connection: ClientConnection, isNew: Bool = false) {
        let endpoint = connection.endpoint
        // Until the upstream has said how much it takes, others wait for that and not for connections of their own.
        if !isNew, unsafe endpoint.making === connection { unsafe endpoint.making = nil }
        if !endpoint.spare.isEmpty { endpoint.spare.removeAll { $0 === connection } }
        while connection.hasRoom, let stream = nextFor(connection) {
            serve(stream, on: connection)
        }
        if !isNew, connection.passengers > 0, !connection.hasRoom { release(passengersOf: connection) }
        guard connection.streamCount == 0, !connection.isIdle, !connection.flags.contains(.closed),
            !connection.flags.contains(.closeAfterOutput)
        else { return }
        unlist(connection)
        guard connection.hasRoom else { return connection.close() }
        keep(connection)
    }

    private func nextFor(_ connection: ClientConnection) -> HTTPStream? {
        let endpoint = connection.endpoint
        if let stream = takeWaiter(of: connection) { return stream }
        if let stream = unsafe endpoint.waiting.first, let expected = unsafe stream.awaited {
            // What is being made for it is there for the next.
            part(stream, expected)
            if unsafe expected.waiter == nil, expected.passengers == 0 { endpoint.spare.append(expected) }
            return stream
        }
        return hasLine && endpoint.isListed ? takeFirstInLine(for: endpoint) : nil
    }
}
