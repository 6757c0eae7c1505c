import Engine
import FilterAPI
import Glibc
import Synchronization
import Testing

@testable import Host

@Suite("Files are read again when they change")
struct FileWatcherTests {
    @Test("in place, by another file's name, and after they were away")
    func ordinaryWays() throws {
        let bench = try WatchBench()
        let file = bench.folder + "/a"
        bench.write(file, "1")
        let state = Watched([file])
        bench.watcher.watch(state)
        bench.expectRefresh(of: state) { bench.write(file, "2") }
        bench.write(bench.folder + "/new", "3")
        bench.expectRefresh(of: state) { unsafe rename(bench.folder + "/new", file) }
        bench.expectRefresh(of: state) { unsafe unlink(file) }
        bench.expectRefresh(of: state) { bench.write(file, "4") }
    }

    @Test("where a link on the way is turned, as Kubernetes does")
    func turnedLink() throws {
        let bench = try WatchBench()
        let folder = bench.folder
        for version in ["v1", "v2"] {
            unsafe mkdir("\(folder)/\(version)", 0o755)
            bench.write("\(folder)/\(version)/tls.crt", version)
        }
        unsafe symlink("v1", "\(folder)/..data")
        unsafe symlink("..data/tls.crt", "\(folder)/tls.crt")
        let state = Watched(["\(folder)/tls.crt"])
        bench.watcher.watch(state)
        unsafe symlink("v2", "\(folder)/..tmp")
        bench.expectRefresh(of: state) { unsafe rename("\(folder)/..tmp", "\(folder)/..data") }
        bench.expectRefresh(of: state) { bench.write("\(folder)/v2/tls.crt", "in place, behind two links") }
    }

    @Test("where their folder goes and comes")
    func folder() throws {
        let bench = try WatchBench()
        let inner = bench.folder + "/inner"
        unsafe mkdir(inner, 0o755)
        bench.write(inner + "/a", "1")
        let state = Watched([inner + "/a"])
        bench.watcher.watch(state)
        bench.expectRefresh(of: state) { unsafe rename(inner, bench.folder + "/away") }
        unsafe mkdir(bench.folder + "/fresh", 0o755)
        bench.write(bench.folder + "/fresh/a", "2")
        bench.expectRefresh(of: state) { unsafe rename(bench.folder + "/fresh", inner) }
        bench.expectRefresh(of: state) { bench.write(inner + "/a", "3") }
    }

    @Test("and not because of what lies beside them")
    func neighbours() throws {
        let bench = try WatchBench()
        let file = bench.folder + "/a"
        bench.write(file, "1")
        let state = Watched([file])
        bench.watcher.watch(state)
        bench.expectRefresh(of: state) { bench.write(file, "2") }
        let count = state.refreshes
        for index in 0..<50 { bench.write("\(bench.folder)/other\(index)", "x") }
        // A second state tells when the loop has seen all of it.
        let second = Watched([bench.folder + "/other0"])
        bench.watcher.watch(second)
        bench.expectRefresh(of: second) { bench.write(bench.folder + "/other0", "y") }
        #expect(state.refreshes == count)
    }

    @Test("once for changes that come together")
    func together() throws {
        let bench = try WatchBench()
        let files = (0..<4).map { "\(bench.folder)/\($0)" }
        for file in files { bench.write(file, "1") }
        let state = Watched(files)
        bench.watcher.watch(state)
        bench.expectRefresh(of: state) { bench.write(files[0], "2") }
        let count = state.refreshes
        bench.expectRefresh(of: state) { for file in files { bench.write(file, "3") } }
        #expect(state.refreshes == count + 1)
    }

    @Test("no more, when nobody holds what is read from them")
    func letGo() throws {
        let bench = try WatchBench()
        let file = bench.folder + "/a"
        bench.write(file, "1")
        let other = Watched([file])
        do {
            let state = Watched([bench.folder + "/inner/b"])
            unsafe mkdir(bench.folder + "/inner", 0o755)
            bench.watcher.watch(state)
            bench.watcher.watch(other)
            #expect(state.refreshes == 0)
        }
        bench.expectRefresh(of: other) { bench.write(file, "2") }
        let with = bench.watcher.watchCount
        unsafe mkdir(bench.folder + "/inner", 0o755)
        #expect(bench.watcher.watchCount == with)
        #expect(WatchPoint.all(of: file).count == with)
    }

    @Test("when the time that it has asked for is over")
    func asked() throws {
        let bench = try WatchBench()
        let state = Watched([bench.folder + "/none"], again: .milliseconds(150))
        bench.watcher.watch(state)
        #expect(bench.turn { state.refreshes >= 3 })
    }
}

/// State that counts how often it is told to look.
private final class Watched: WatchedState {
    let files: [String]
    private let again: Duration?
    private let count = Atomic<Int>(0)

    init(_ files: [String], again: Duration? = nil) {
        self.files = files
        self.again = again
    }

    var refreshes: Int { count.load(ordering: .relaxed) }

    func refresh(_ moment: Moment) -> Duration? {
        count.add(1, ordering: .relaxed)
        return again
    }
}

/// A watcher on a loop that the test turns, and a folder that goes with it.
private final class WatchBench {
    let loop: EventLoop
    let watcher: FileWatcher
    let folder: String

    init() throws {
        loop = try EventLoop()
        watcher = FileWatcher(loop: loop, log: Log(level: .error, format: .text))
        var template = Array("/tmp/sluice-watch-XXXXXX".utf8CString)
        folder = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) }
                ?? "/nonexistent"
        }
    }

    deinit { unsafe system("rm -rf '\(folder)'") }

    func write(_ path: String, _ text: String) {
        let file = unsafe fopen(path, "w")
        unsafe fputs(text, file)
        unsafe fclose(file)
    }

    /// Turns the loop until something holds, for at most five seconds.
    func turn(until condition: () -> Bool) -> Bool {
        let end = loop.now + 5_000_000_000
        while !condition() {
            if loop.now > end { return false }
            loop.turn(maxWait: 20_000_000)
        }
        return true
    }

    /// Changes something, and expects the state to be told of it by the kernel's event.
    func expectRefresh(of state: Watched, _ change: () -> Void, at location: SourceLocation = #_sourceLocation) {
        // The first look of its own is over, so that it is not taken for one because of the change.
        _ = turn { state.refreshes > 0 || state.files.isEmpty }
        let before = state.refreshes
        change()
        #expect(turn { state.refreshes > before }, "was not told", sourceLocation: location)
    }
}
