internal import CLinux
internal import Glibc

extension EventLoop {
    /// Watches a descriptor for reading and writing, edge triggered, until it is deregistered.
    ///
    /// The loop retains the source. What is ready already is announced in the next turn.
    ///
    /// - Throws: if the kernel refuses the descriptor; nothing has changed then.
    public func register(_ source: EventSource, fd: Int32) throws(SystemFault) {
        let interest = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        try add(source, fd: fd, interest: interest)
    }

    /// Watches a descriptor for reading only: a listener, an eventfd, a signalfd.
    ///
    /// - Parameters:
    ///   - levelTriggered: announce it in every turn for as long as there is something to read.
    ///   - exclusive: if several loops watch the same socket, wake only one of them.
    /// - Throws: if the kernel refuses the descriptor; nothing has changed then.
    public func registerReadOnly(
        _ source: EventSource, fd: Int32, levelTriggered: Bool = false, exclusive: Bool = false
    ) throws(SystemFault) {
        var interest = EPOLLIN.rawValue
        if !levelTriggered { interest |= EPOLLET.rawValue }
        if exclusive { interest |= EPOLLEXCLUSIVE.rawValue }
        try add(source, fd: fd, interest: interest)
    }

    /// Watches a descriptor level triggered, and for what is asked only: for libraries that do their own reading and
    /// writing, and do not always read all there is.
    ///
    /// - Parameter interest: ``Readiness/readable``, ``Readiness/writable`` or both; errors are announced anyway.
    /// - Throws: if the kernel refuses the descriptor; nothing has changed then.
    public func registerLevelTriggered(
        _ source: EventSource, fd: Int32, for interest: Readiness
    ) throws(SystemFault) {
        try add(source, fd: fd, interest: interest.rawValue)
    }

    /// Changes what a source that was registered level triggered is watched for.
    ///
    /// - Throws: if the kernel refuses; nothing has changed then.
    public func watch(_ source: EventSource, for interest: Readiness) throws(SystemFault) {
        precondition(table.holds(source, slot: source.slot), "the source is not registered with this loop")
        let token = table.token(slot: source.slot)
        try Syscalls.epollModify(epoll, fd: source.fd, interest: interest.rawValue, token: token)
    }

    /// Stops watching a source.
    ///
    /// Does nothing if it is not registered.
    ///
    /// Drops the loop's retain, but not before the end of the present turn. Events of this turn that were still to come, and
    /// a pending ``again(_:)`` or ``atTurnEnd(_:)``, are dropped. `source.fd` is -1 afterwards.
    ///
    /// - Returns: the descriptor, which the caller still has to close; -1 if there was none.
    @discardableResult
    public func deregister(_ source: EventSource) -> Int32 {
        let fd = source.fd
        guard forget(source) else { return -1 }
        Syscalls.epollRemove(epoll, fd: fd)
        return fd
    }

    /// Stops watching a source and closes its descriptor.
    ///
    /// Cheaper than the two apart, as closing tells epoll too.
    ///
    /// Only for descriptors that no other process or duplicate shares. Otherwise like ``deregister(_:)``.
    public func close(_ source: EventSource) {
        let fd = source.fd
        if forget(source) { Syscalls.close(fd) }
    }

    /// Calls ``EventSource/turnEnded()`` once at the end of this turn, before the loop sleeps.
    ///
    /// Asking again in the same turn changes nothing; asking from inside `turnEnded` runs in the same end phase, up to
    /// a bound, so that a circle of sources cannot keep the loop from its events. The source need not be registered.
    public func atTurnEnd(_ source: EventSource) {
        if source.wantsTurnEnd { return }
        source.wantsTurnEnd = true
        unsafe turnEnd.append(Unmanaged.passUnretained(source))
        if !source.isRegistered { unsafe released.append(Unmanaged.passRetained(source)) }
    }

    /// Calls `ready([.readable])` in the next turn without sleeping before it: for a source that stopped reading early,
    /// to let others have their turn.
    ///
    /// If an event for it arrives as well, there is one call with both.
    public func again(_ source: EventSource) {
        guard source.isRegistered, source.againTurn != turnNumber &+ 1 else { return }
        source.againTurn = turnNumber &+ 1
        againNext.append(table.token(slot: source.slot))
    }

    private func add(_ source: EventSource, fd: Int32, interest: UInt32) throws(SystemFault) {
        precondition(!source.isRegistered, "a source can be registered only once")
        let (slot, generation) = table.insert(source)
        do throws(SystemFault) {
            let token = UInt64(slot) << 32 | UInt64(generation)
            try Syscalls.epollAdd(epoll, fd: fd, interest: interest, token: token)
        } catch {
            unsafe table.remove(slot: slot)?.release()
            throw error
        }
        source.slot = slot
        source.fd = fd
    }

    private func forget(_ source: EventSource) -> Bool {
        guard source.isRegistered else { return false }
        precondition(table.holds(source, slot: source.slot), "the source is registered with another loop")
        guard let held = unsafe table.remove(slot: source.slot) else { return false }
        source.slot = EventSource.noSlot
        source.fd = -1
        source.againTurn = 0
        source.wantsTurnEnd = false
        if unsafe isInTurn || !turnEnd.isEmpty {
            unsafe released.append(held)
        } else {
            unsafe held.release()
        }
        return true
    }
}
