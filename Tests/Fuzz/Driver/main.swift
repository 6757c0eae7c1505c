internal import CLibFuzzer
internal import FuzzTargets
internal import Glibc

// FUZZ_TARGET=request Fuzz [libFuzzer's arguments]; scripts/fuzz is what to call. The name is in the environment since
// libFuzzer starts itself again for some of what it does, with its own arguments only.
// SAFETY: libFuzzer reads the arguments, which live as long as the process, and hands over memory that is good during
// each call, from one thread.
nonisolated(unsafe) private var target: (any FuzzTarget)?

private func run(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let target = unsafe target else { return -1 }
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    if let complaint = target.complaint(about: input) { fatalError(complaint) }
    return 0
}

private func main() -> CInt {
    let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let found = FuzzTargets.make(name) else {
        let usage = Array("FUZZ_TARGET must be one of \(FuzzTargets.names.joined(separator: ", "))\n".utf8)
        _ = unsafe write(STDERR_FILENO, usage, usage.count)
        return 2
    }
    unsafe target = found
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
    return unsafe LLVMFuzzerRunDriver(&count, &arguments, run)
}

exit(main())
