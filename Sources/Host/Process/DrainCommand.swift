internal import Engine

/// `sluice drain`.
enum DrainCommand {
    /// - Returns: the exit code.
    static func run(_ process: Int) -> Int32 {
        // Process 1 of a machine is no proxy, and a number may have gone to somebody else.
        guard let name = Syscalls.processName(process) else { return refuse("there is no process \(process)") }
        guard name == "sluice" else { return refuse("process \(process) is `\(name)`, and not Sluice") }
        do throws(SystemFault) { try Syscalls.signal(process, SignalNumber.quit) } catch {
            return refuse("process \(process) cannot be told: \(error.description)")
        }
        return 0
    }

    private static func refuse(_ message: String) -> Int32 {
        Terminal.error("sluice: \(message)\n")
        return 1
    }
}
