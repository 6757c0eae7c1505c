internal import Engine
internal import Glibc

/// A shared object that the system's loader has taken into the process, for ever.
struct SharedObject {
    /// The loader's word for it. Opaque, never closed, and good on every thread.
    private let handle: UInt
    /// What the loader calls it, for who asks it whose code an address is.
    let linkedName: String

    /// Loads a private copy of a file, after the libraries that it needs.
    ///
    /// The loader maps what it loads. Were that the file itself, who writes over it would write into the code that runs
    /// here. A copy has another inode too, so that a file that was replaced is never taken for the one before it. The
    /// copy has no folder: libraries that stand next to the file are found for it.
    init(_ file: PluginFile) throws(PluginRefusal) {
        let needed = try NeededLibraries.load(for: file)
        let name = Self.copy(of: file) ?? file.path
        guard let handle = unsafe dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
            let message = unsafe dlerror().map { unsafe String(cString: $0) } ?? "the loader refused it"
            throw MissingSymbols(of: file, needed).refusal ?? PluginRefusal(message)
        }
        self.handle = UInt(bitPattern: handle)
        linkedName = name
    }

    /// A path to a copy that nobody can change; nil where the system has none to give.
    private static func copy(of file: PluginFile) -> String? {
        guard let fd = try? Syscalls.memoryFile(file.name, file.elf.bytes) else { return nil }
        // It stays open: the loader knows objects by their names, and the number is part of this one.
        let name = "/proc/self/fd/\(fd)"
        if FileProbe.exists(name) { return name }
        Syscalls.close(fd)
        return nil
    }

    /// The address of what it calls so, to be used as what the caller knows it to be.
    func address(of symbol: String) -> UnsafeMutableRawPointer? {
        unsafe dlsym(UnsafeMutableRawPointer(bitPattern: handle), symbol)
    }
}
