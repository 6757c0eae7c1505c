internal import CNGHTTP2
internal import FilterAPI

/// How long a connection and its streams may take. The timer is armed for the first thing that may be due, and looks at all
/// of them when it goes off, so that requests without a body neither arm nor move it.
extension HTTP2Server {
    /// How long the client has to hear that no more streams are taken (RFC 9113 section 6.8).
    static let noticeTime = Duration.seconds(1)
    /// How long bytes that were handed over may wait for the client's credit.
    static let creditTime = Duration.seconds(300)

    func beginTime(_ connection: Connection, _ link: inout CodecLink) {
        let limit = settings.maxConnectionDuration
        if limit > .zero {
            // Not all of them at once: up to a tenth earlier.
            let share = Int64(random.next() % 100)
            connection.endsAt = link.now.after(limit - limit * share / 1000)
        }
        watch(connection, &link)
    }

    /// The listener drains, or the connection's time is over.
    func drain(_ connection: Connection, _ link: inout CodecLink) {
        guard connection.refusesAt == .none else { return }
        connection.session.announceEnd()
        connection.refusesAt = link.now.after(Self.noticeTime)
        watch(connection, &link)
    }

    /// Sees to it that the timer goes off for whatever has begun.
    func watch(_ connection: Connection, _ link: inout CodecLink) {
        let due = nextDue(connection, link.now, looksAtStreams: connection.timerDue == .none)
        guard due != .none, connection.timerDue == .none || due < connection.timerDue else { return }
        connection.timerDue = due
        link.arm(after: max(.zero, due.since(link.now)))
    }

    func timerFired(_ connection: Connection, _ link: inout CodecLink) throws(Fault) -> ServerEvent {
        connection.timerDue = .none
        let session = connection.session
        if session.fatal != nil { return .needMore }
        let now = link.now
        if session.readingSince != .none, settings.headTimeout > .zero,
            now.since(session.readingSince) >= settings.headTimeout
        {
            session.calm("http2.head_timeout")
            throw Fault(.requestTimeout, "http2.head_timeout")
        }
        if isOverdue(connection, now) {
            session.calm("http2.head_timeout")
            return .needMore
        }
        if session.pingSent != .none, now.since(session.pingSent) >= settings.http2.pingTimeout {
            throw Fault(.clientGone, "http2.ping_timeout")
        }
        if connection.endsAt != .none, now >= connection.endsAt { drain(connection, &link) }
        if connection.refusesAt != .none, now >= connection.refusesAt, !session.isEnding { session.refuseMore() }
        if session.activeCount == 0, settings.idleTimeout > .zero,
            now.since(session.idleSince) >= settings.idleTimeout, !session.isEnding
        {
            session.refuseMore()
        }
        if settings.http2.pingInterval > .zero, session.pingSent == .none,
            now.since(session.lastHeard) >= settings.http2.pingInterval
        {
            session.ping(now)
        }
        lookAtStreams(session, now)
        watch(connection, &link)
        return .needMore
    }

    /// Whether the client has not even greeted in the time that a head may take.
    private func isOverdue(_ connection: Connection, _ now: Instant) -> Bool {
        !connection.session.hasHeardSettings && settings.headTimeout > .zero
            && now.since(connection.accepted) >= settings.headTimeout
    }

    private func lookAtStreams(_ session: HTTP2Session, _ now: Instant) {
        for stream in session.open where !stream.flags.contains(.wireDone) {
            let waited = now.since(stream.lastMoved)
            if isLate(stream, now) {
                session.say(.refused, stream, fault: Fault(.requestTimeout, "http2.body_timeout"))
            } else if stream.flags.contains(.hostDone), waited >= Self.creditTime {
                session.reset(stream, NGHTTP2_CANCEL)
            }
        }
    }

    /// Whether a request's body has stood still for too long, or has taken too long as a whole.
    private func isLate(_ stream: HTTP2Stream, _ now: Instant) -> Bool {
        guard waitsForBody(stream) else { return false }
        let (idle, whole) = (settings.bodyIdleTimeout, settings.requestTimeout)
        return idle > .zero && now.since(stream.lastMoved) >= idle || whole > .zero && now.since(stream.began) >= whole
    }

    /// Whether the client is to send something, and is not kept from it by us.
    private func waitsForBody(_ stream: HTTP2Stream) -> Bool {
        stream.flags.contains(.headDone) && stream.held == 0
            && stream.flags.isDisjoint(with: [.peerEnded, .hostDone, .isTunnel, .answered])
    }

    /// When something may be due; none for nothing.
    private func nextDue(_ connection: Connection, _ now: Instant, looksAtStreams: Bool) -> Instant {
        let session = connection.session
        var due = Instant.none
        func consider(_ time: Instant) { if time != .none, due == .none || time < due { due = time } }
        if settings.headTimeout > .zero {
            if session.readingSince != .none { consider(session.readingSince.after(settings.headTimeout)) }
            if !session.hasHeardSettings { consider(connection.accepted.after(settings.headTimeout)) }
        }
        if !session.isEnding {
            consider(connection.refusesAt == .none ? connection.endsAt : connection.refusesAt)
            if session.activeCount == 0, settings.idleTimeout > .zero {
                consider(session.idleSince.after(settings.idleTimeout))
            }
        }
        if settings.http2.pingInterval > .zero {
            consider(
                session.pingSent == .none
                    ? session.lastHeard.after(settings.http2.pingInterval)
                    : session.pingSent.after(settings.http2.pingTimeout))
        }
        if session.hasBodies, let usual = bodyLimit {
            // The timer is not for one of them: it looks at all, this often at most.
            consider(now.after(looksAtStreams ? bodyWait(session, now, usual) : usual))
        } else if session.activeCount > 0 {
            consider(now.after(Self.creditTime))
        }
        return due
    }

    /// How long until the first body may have stood still for too long.
    private func bodyWait(_ session: HTTP2Session, _ now: Instant, _ usual: Duration) -> Duration {
        var wait = usual
        for stream in session.open where waitsForBody(stream) {
            if settings.bodyIdleTimeout > .zero {
                wait = min(wait, max(.zero, settings.bodyIdleTimeout - now.since(stream.lastMoved)))
            }
            if settings.requestTimeout > .zero {
                wait = min(wait, max(.zero, settings.requestTimeout - now.since(stream.began)))
            }
        }
        return max(wait, .milliseconds(1))
    }
}
