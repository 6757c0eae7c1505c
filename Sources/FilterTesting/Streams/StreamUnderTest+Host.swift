package import FilterAPI

/// What filters call through `Stream`, where it is the same for HTTP and for bytes.
extension StreamUnderTest {
    package var connectionFacts: ConnectionFacts { memory.connection }
    package var now: Instant { clock.now }
    package var pages: PagePool { memory.pages }
    package var requestHead: UnsafeMutablePointer<RequestHead> { unsafe memory.request }

    package func useRouteSettings(_ settings: RouteSettingsTable?) { routeTable = settings }

    package func makeResumption(stage: Int, isRequest: Bool) -> Resumption {
        serial += 1
        let key = ResumptionKey(slot: 0, generation: 0, stage: UInt8(stage), isRequest: isRequest, serial: serial)
        return Resumption(target: mailbox, key: key)
    }

    package func wake(stage: Int, after delay: Duration) {
        wakeDue = Instant(nanoseconds: clock.now.nanoseconds &+ delay.wholeNanoseconds)
    }

    package func cancelWake(stage: Int) { wakeDue = nil }

    package func handshake(stage: Int, isOver: Bool) {
        isInHandshake = !isOver
        if !isOver { handshakeCount += 1 }
    }

    package func fail(stage: Int, _ fault: Fault) { pendingFault = fault }

    package func limit(to deadline: Instant) {
        if deadline != .none, self.deadline == .none || deadline < self.deadline { self.deadline = deadline }
    }

    package func attach(_ cluster: ClusterID, _ attachment: Attachment) {
        attached = RecordedAttachment(cluster: cluster, attachment: attachment)
    }
}
