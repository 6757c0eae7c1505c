internal import FilterAPI

/// Which breaker a request has, and what is told of it.
extension CircuitBreaker {
    /// The breaker for what is known of the stream now. Not counted: good until another one is asked for.
    func slot(for stream: borrowing Stream) -> Unmanaged<BreakerSlot> {
        let subject: ObjectIdentifier? =
            switch settings.scope {
            case .listener: nil
            case .route, .cluster: stream.facts.clusterIdentity
            case .endpoint: stream.facts.endpointIdentity
            }
        let route = settings.scope == .listener ? nil : stream.facts.routeIdentity
        // Routes without a name are told apart by what they set, if they set anything.
        if route == nil, settings.scope != .listener, let own = stream.routeSettings(of: self) {
            return unsafe slot(for: stream, own)
        }
        if let known = unsafe cache.find(route, subject) { return unsafe known }
        let fresh = makeSlot(for: stream, own: route == nil ? nil : stream.routeSettings(of: self))
        cache.add(fresh, settings.scope == .listener ? nil : stream.facts.route, name(of: stream))
        return unsafe Unmanaged.passUnretained(fresh)
    }

    private func name(of stream: borrowing Stream) -> FactName? {
        switch settings.scope {
        case .listener: nil
        case .route, .cluster: stream.facts.cluster
        case .endpoint: stream.facts.endpoint
        }
    }

    private func slot(for stream: borrowing Stream, _ own: RouteSettings) -> Unmanaged<BreakerSlot> {
        let subject = name(of: stream)
        if let known = unnamed.first(where: { $0.subject === subject && $0.own == own }) {
            return unsafe Unmanaged.passUnretained(known.slot)
        }
        if unnamed.count >= 1000 { unnamed.removeAll() }
        let fresh = makeSlot(for: stream, own: own)
        unnamed.append((own, subject, fresh))
        return unsafe Unmanaged.passUnretained(fresh)
    }

    private func makeSlot(for stream: borrowing Stream, own: RouteSettings?) -> BreakerSlot {
        let numbers = own.flatMap { $0.hasNumbers ? $0 : nil }
        let names = BreakerNames(
            settings.scope, stream.facts, listener: stream.connection.listener, own: numbers)
        let (breaker, isShared) = table.breaker(names.key)
        if isShared { counters.breakersShared.add() }
        var places = places
        if let numbers {
            places = places.changed(by: numbers, of: "route \(stream.facts.route?.text ?? "without a name")")
        }
        return BreakerSlot(
            breaker, BreakerRules(settings, own: own), worker: workerIndex, subject: names.subject, places)
    }

    /// Tells operators of a change.
    func tell(_ slot: BreakerSlot, _ change: CircuitChange) {
        guard let errors = slot.rules.errors else { return }
        switch change {
        case .opened(let cause, let duration):
            counters.opened.add()
            if cause != .probeFailed, cause != .probeSlow { table.open.add(1) }
            log.write(
                .warning, "circuit breaker opened",
                [("breaker", slot.breaker.name), ("why", errors.words(cause)), ("for", TimeText.of(duration))])
        case .closed(let probes):
            counters.closed.add()
            table.open.add(-1)
            log.write(
                .info, "circuit breaker closed",
                [("breaker", slot.breaker.name), ("why", "\(probes) probes succeeded")])
        }
    }
}
