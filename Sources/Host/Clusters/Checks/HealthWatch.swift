internal import Engine
internal import Synchronization

/// One check of one endpoint, on the control thread: what is known by it, and when it is due again.
///
/// SAFETY: the checker owns its watches, and disarms them before it lets them go.
@safe
final class HealthWatch: LoopTimer {
    /// Given once in a process, so that a late result does not reach another.
    let id: UInt64
    let endpoint: EndpointList.Entry
    let check: HealthCheck
    var machine: HealthMachine
    /// The endpoint is being asked.
    var isRunning = false
    unowned(unsafe) private let checker: HealthChecker

    private static let lastID = Atomic<UInt64>(0)

    init(_ endpoint: EndpointList.Entry, _ check: HealthCheck, _ machine: HealthMachine, _ checker: HealthChecker) {
        id = Self.lastID.add(1, ordering: .relaxed).newValue
        self.endpoint = endpoint
        self.check = check
        self.machine = machine
        unsafe self.checker = checker
        super.init()
    }

    override func fired() { unsafe checker.ask(self) }
}
