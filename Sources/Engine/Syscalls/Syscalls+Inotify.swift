internal import Glibc

// Changes of files, as the kernel tells of them (inotify(7)).
extension Syscalls {
    /// What may happen to a name in a folder that is watched, or to the folder itself.
    private static let changes = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR)

    /// A new descriptor that folders can be watched with, non-blocking and closed on exec; the caller owns it.
    public static func inotify() throws(SystemFault) -> Int32 {
        let result = attempt(.inotify) { Int(inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))) }
        if result < 0 { throw fault("inotify_init1", result) }
        return Int32(result)
    }

    /// Watches a folder.
    ///
    /// - Returns: the watch's number; the same one for the same folder.
    public static func watch(_ folder: String, inotify fd: Int32) throws(SystemFault) -> Int32 {
        let result = attempt(.inotify) { unsafe Int(inotify_add_watch(fd, folder, changes)) }
        if result < 0 { throw fault("inotify_add_watch", result) }
        return Int32(result)
    }

    /// Watches a folder no more. A watch that the kernel has ended by itself is no error.
    public static func unwatch(_ watch: Int32, inotify fd: Int32) { _ = inotify_rm_watch(fd, watch) }

    /// One thing that happened.
    public struct FolderChange: Sendable {
        /// The watch; -1 where events were lost and anything may have happened.
        public let watch: Int32
        /// The name in the folder; empty for the folder itself.
        public let name: String
        /// The kernel has ended the watch.
        public let isGone: Bool
    }

    /// Reads what has happened, as much as there is.
    public static func folderChanges(inotify fd: Int32) -> [FolderChange] {
        var found: [FolderChange] = []
        unsafe withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { buffer in
            while case .bytes(let count) = unsafe readFile(fd, into: buffer) {
                unsafe append(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: &found)
            }
        }
        return found
    }

    /// SAFETY: the kernel writes whole events: a head of 16 bytes, and a name with NULs behind it.
    private static func append(_ bytes: UnsafeRawBufferPointer, to found: inout [FolderChange]) {
        var offset = 0
        while offset + 16 <= bytes.count {
            let watch = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = unsafe Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let name = unsafe bytes[(offset + 16)...].prefix(length).prefix { $0 != 0 }
            let isLost = mask & UInt32(IN_Q_OVERFLOW) != 0
            unsafe found.append(
                FolderChange(
                    watch: isLost ? -1 : watch, name: String(decoding: name, as: UTF8.self),
                    isGone: mask & UInt32(IN_IGNORED) != 0))
            offset += 16 + length
        }
    }

    /// What the path itself is.
    public enum PathKind: Sendable {
        /// There is nothing, or it may not be looked at.
        case nothing
        /// A symbolic link, with what it says.
        case link(String)
        /// Anything else.
        case other
    }

    /// Looks at a path without following it.
    public static func kind(of path: String) -> PathKind {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return .nothing }
        guard status.st_mode & S_IFMT == S_IFLNK else { return .other }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = unsafe readlink(path, buffer.baseAddress.unsafelyUnwrapped, buffer.count)
            guard count > 0 else { return .nothing }
            let text = unsafe buffer[..<count].map { UInt8(bitPattern: $0) }
            return .link(String(decoding: text, as: UTF8.self))
        }
    }

    /// Words that change when a file does, or is replaced: size, inode and times; nil where there is none.
    public static func fileState(_ path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return "\(status.st_dev):\(status.st_ino):\(status.st_size):\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            + ":\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
    }

    /// The folder that relative paths begin at.
    public static func workingFolder() -> String {
        guard let memory = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(memory) }
        return unsafe String(cString: memory)
    }
}
