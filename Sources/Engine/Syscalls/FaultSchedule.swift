internal import CLinux
internal import Glibc
internal import Synchronization

/// Which system calls shall fail.
///
/// Costs one branch per call while nothing is armed. Usable from any thread.
public final class FaultSchedule: Sendable {
    private struct Armed {
        let rule: FaultRule
        let owner: Int
        /// The only thread whose calls count, or nil for all.
        let thread: pthread_t?
        var seen = 0
    }

    private struct State {
        var armed: [Armed] = []
        var lastOwner = 0
        var injected = 0
    }

    private let state = Mutex(State())

    /// Adds rules for the calls of all threads.
    ///
    /// They stay until ``disarm()``.
    public func arm(_ rules: [FaultRule]) {
        _ = add(rules, thread: nil)
    }

    /// Removes all rules.
    public func disarm() {
        state.withLock { state in
            state.armed = []
            sluice_faults_set_armed(0)
        }
    }

    /// Arms rules for the calls that this thread makes during `body`; other threads do not notice.
    public func during<Result, Failure: Error>(
        _ rules: [FaultRule], _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let owner = add(rules, thread: pthread_self())
        defer { remove(owner) }
        return try body()
    }

    /// How many calls have been made to fail since the start.
    public var injectedCount: Int { state.withLock { $0.injected } }

    /// The errno for this call, or 0.
    ///
    /// Every rule for the call counts it.
    func next(_ call: Syscalls.Call) -> Int32 {
        let thread = pthread_self()
        return state.withLock { state in
            var errno: Int32 = 0
            for index in state.armed.indices where state.armed[index].rule.call == call {
                if let only = state.armed[index].thread, pthread_equal(only, thread) == 0 { continue }
                state.armed[index].seen += 1
                let rule = state.armed[index].rule
                let position = state.armed[index].seen - rule.nth
                if errno == 0, position >= 0, position < rule.count { errno = rule.errno }
            }
            if errno != 0 { state.injected += 1 }
            return errno
        }
    }

    private func add(_ rules: [FaultRule], thread: pthread_t?) -> Int {
        state.withLock { state in
            state.lastOwner += 1
            for rule in rules { state.armed.append(Armed(rule: rule, owner: state.lastOwner, thread: thread)) }
            sluice_faults_set_armed(state.armed.isEmpty ? 0 : 1)
            return state.lastOwner
        }
    }

    private func remove(_ owner: Int) {
        state.withLock { state in
            state.armed.removeAll { $0.owner == owner }
            sluice_faults_set_armed(state.armed.isEmpty ? 0 : 1)
        }
    }
}
