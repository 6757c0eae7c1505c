import Glibc
import Synchronization
import Testing

@testable import Engine

@Suite struct ProcessTests {
    @Test(
        "A cgroup quota is rounded up to whole processors",
        arguments: [
            ("max 100000\n", nil), ("100000 100000\n", 1), ("150000 100000\n", 2), ("50000 100000\n", 1),
            ("400000 100000", 4), ("0 100000", nil), ("-1 100000", nil), ("1000 0", nil), ("nonsense", nil), ("", nil),
            ("9223372036854775807 1", Int.max),
        ] as [(String, Int?)])
    func cpuMax(text: String, expected: Int?) {
        #expect(Processors.quota(cpuMax: text) == expected)
    }

    @Test("A version 1 quota of -1 is no quota")
    func cfsQuota() {
        #expect(Processors.quota(cfsQuota: "-1\n", period: "100000\n") == nil)
        #expect(Processors.quota(cfsQuota: "250000\n", period: "100000\n") == 3)
        #expect(Processors.quota(cfsQuota: "", period: "") == nil)
    }

    @Test("The process's own group and all groups above it are looked at")
    func groupDirectories() {
        let both = Processors.directories(ofCgroups: "0::/system.slice/sluice.service\n5:cpu,cpuacct:/a\n6:memory:/b\n")
        #expect(both.contains("/sys/fs/cgroup"))
        #expect(both.contains("/sys/fs/cgroup/system.slice"))
        #expect(both.contains("/sys/fs/cgroup/system.slice/sluice.service"))
        #expect(both.contains("/sys/fs/cgroup/cpu,cpuacct/a"))
        #expect(!both.contains { $0.hasSuffix("/b") })
        #expect(Processors.directories(ofCgroups: "nonsense\n").isEmpty)
    }

    @Test("There is at least one processor")
    func available() {
        #expect(Processors.available() >= 1)
    }

    @Test("A signal that is blocked arrives as an event of the loop")
    func signal() throws {
        let received = Mutex<[Int32]>([])
        // On a thread of its own, as only that thread's signal mask may change.
        let thread = try WorkerThread.start(name: "signals") {
            Signals.block([SIGUSR2])
            guard let loop = try? EventLoop() else { return }
            let source = try? SignalSource([SIGUSR2], on: loop) { number in
                received.withLock { $0.append(number) }
                loop.stop()
            }
            pthread_kill(pthread_self(), SIGUSR2)
            loop.run()
            source?.close(on: loop)
        }
        thread.join()
        #expect(received.withLock { $0 } == [SIGUSR2])
    }

    @Test("A worker thread runs its body with the name it was given, and a failure to start is an error")
    func workerThread() throws {
        let name = Mutex("")
        let thread = try WorkerThread.start(name: "worker-0", cpu: 0) {
            name.withLock { $0 = Syscalls.text(of: "/proc/thread-self/comm") ?? "" }
        }
        thread.join()
        thread.join()
        #expect(name.withLock { $0 } == "worker-0\n")
        let error = Syscalls.faults.during([FaultRule(.pthreadCreate, nth: 1, errno: EAGAIN)]) {
            #expect(throws: SystemFault.self) { try WorkerThread.start(name: "none") {} }
        }
        #expect(error == SystemFault(call: "pthread_create", errno: EAGAIN))
    }
}
