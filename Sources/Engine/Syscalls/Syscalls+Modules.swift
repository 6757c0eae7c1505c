internal import CLinux
internal import Glibc

// What loading shared objects needs. These block on the disk: they are for the control thread.
extension Syscalls {
    /// The whole of an ordinary file.
    ///
    /// - Parameter limit: the most bytes to read; a larger file fails with EFBIG.
    public static func contents(of path: String, limit: Int) throws(SystemFault) -> [UInt8] {
        let fd = try open(path, .read)
        defer { close(fd) }
        var status = stat()
        if unsafe fstat(fd, &status) != 0 { throw SystemFault(call: "fstat", errno: errno) }
        let size = Int(status.st_size)
        guard size <= limit else { throw SystemFault(call: "read", errno: EFBIG) }
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let rest = unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[count...]))
                let result = attempt(.read) { unsafe Glibc.read(fd, rest.baseAddress, rest.count) }
                if result < 0 { failure = Int32(-result) }
                // Shorter than it was: somebody is writing it.
                if result <= 0 { return }
                count += result
            }
        }
        if failure != 0 { throw SystemFault(call: "read", errno: failure) }
        return bytes
    }

    /// A file with these bytes that has no name in any folder, and that nobody can change any more.
    ///
    /// The caller owns the descriptor.
    ///
    /// - Parameter name: what it is called in /proc.
    public static func memoryFile(_ name: String, _ bytes: [UInt8]) throws(SystemFault) -> Int32 {
        let result = attempt(.open) { unsafe Int(sluice_memory_file(name)) }
        if result < 0 { throw fault("memfd_create", result) }
        let fd = Int32(result)
        let failure = unsafe bytes.withUnsafeBytes { all in
            var rest = unsafe all[...]
            while unsafe !rest.isEmpty {
                let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let written = attempt(.write) { unsafe Glibc.write(fd, part.baseAddress, part.count) }
                if written <= 0 { return written == 0 ? -Int(EIO) : written }
                unsafe rest = rest.dropFirst(written)
            }
            return sluice_seal_memory_file(fd) == 0 ? 0 : -Int(errno)
        }
        if failure < 0 {
            close(fd)
            throw fault("write", failure)
        }
        return fd
    }

    /// Where the running program's file is; empty where the system does not say.
    public static var ownPath: String {
        let path = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                unsafe text.baseAddress.map { unsafe max(0, Glibc.readlink("/proc/self/exe", $0, text.count)) } ?? 0
            }
        }
        return String(decoding: path, as: UTF8.self)
    }

    /// The names in a folder without the hidden ones, sorted; nil where the path is no folder.
    public static func names(in folder: String) throws(SystemFault) -> [String]? {
        guard let stream = unsafe opendir(folder) else {
            if errno == ENOTDIR { return nil }
            throw SystemFault(call: "opendir", errno: errno)
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // SAFETY: the name is a field of the entry that ends with a zero, and the entry lives until the next call.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
