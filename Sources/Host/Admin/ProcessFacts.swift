internal import CLinux
internal import Engine
internal import Glibc

/// What the system says of this process.
final class ProcessFacts {
    let startedAt = Syscalls.wallClock()
    private let startedOn = Syscalls.timeNow()

    /// Nanoseconds since the start.
    var uptime: Nanoseconds { Syscalls.timeNow() - startedOn }

    /// User and system time in nanoseconds.
    var cpuTime: Nanoseconds {
        var usage = rusage()
        // SAFETY: the structure is ours.
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        func nanoseconds(_ time: timeval) -> Nanoseconds {
            UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
        }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    }

    /// Resident memory in bytes.
    var residentMemory: Int {
        let words = Self.file("/proc/self/statm").split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// Open descriptors, without the one that looks.
    var openDescriptors: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe _ = closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // `.`, `..`, and the folder itself.
        return max(0, count - 3)
    }

    /// What the allocator has in use, what it has from the system, and what it has mapped by itself.
    var heap: (inUse: Int, fromSystem: Int, mapped: Int, free: Int) {
        let info = mallinfo2()
        return (
            Int(info.uordblks + info.hblkhd), Int(info.arena + info.hblkhd), Int(info.hblkhd), Int(info.fordblks)
        )
    }

    private static func file(_ path: String) -> String {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return "" }
        defer { close(fd) }
        var buffer: [UInt8] = Array(repeating: 0, count: 4096)
        // SAFETY: the buffer is ours, of this size.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(fd, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : ""
    }
}
