/// Changes in folders as events of a loop: each one calls a closure on the loop's thread.
public final class FolderSource: EventSource {
    private let callback: ([Syscalls.FolderChange]) -> Void

    /// - Throws: where the kernel has no more of these.
    public init(on loop: EventLoop, _ callback: @escaping ([Syscalls.FolderChange]) -> Void) throws(SystemFault) {
        self.callback = callback
        super.init()
        let fd = try Syscalls.inotify()
        do throws(SystemFault) {
            try loop.registerReadOnly(self, fd: fd)
        } catch {
            Syscalls.close(fd)
            throw error
        }
    }

    public override func ready(_ readiness: Readiness) {
        guard isRegistered else { return }
        let changes = Syscalls.folderChanges(inotify: fd)
        if !changes.isEmpty { callback(changes) }
    }

    /// Watches a folder; see ``Syscalls/watch(_:inotify:)``.
    public func watch(_ folder: String) throws(SystemFault) -> Int32 { try Syscalls.watch(folder, inotify: fd) }

    /// Watches it no more.
    public func unwatch(_ watch: Int32) { Syscalls.unwatch(watch, inotify: fd) }
}
