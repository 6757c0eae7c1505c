internal import CLinux

/// A monotonic moment or a duration, in nanoseconds.
public typealias Nanoseconds = UInt64

/// A system call that failed: which one, and what the kernel said.
public struct SystemFault: Error, Sendable {
    /// The system call's name as in its manual page, for example `accept4`.
    public let call: StaticString
    /// The kernel's error number, for example `EMFILE`.
    public let errno: Int32

    /// Describes one failed call.
    public init(call: StaticString, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    /// Whether what was asked for does not exist.
    public var isMissingFile: Bool { errno == 2 || errno == 20 }

    /// The name of an error number, for example `EMFILE`; the number itself if it has no name.
    public static func name(of errno: Int32) -> String {
        // SAFETY: the C library returns null or a text that is never freed.
        guard let text = unsafe sluice_errno_name(errno) else { return "errno \(errno)" }
        return unsafe String(cString: text)
    }

    /// The explanation of an error number in words, for example "Too many open files".
    public static func text(of errno: Int32) -> String {
        // SAFETY: as above.
        guard let text = unsafe sluice_errno_text(errno) else { return "Unknown error" }
        return unsafe String(cString: text)
    }
}

extension SystemFault: Equatable {
    /// Two faults are equal if the same call failed with the same number.
    public static func == (left: SystemFault, right: SystemFault) -> Bool {
        left.errno == right.errno && left.call.description == right.call.description
    }
}

extension SystemFault: CustomStringConvertible {
    /// For example `accept4: Too many open files (EMFILE)`.
    public var description: String {
        "\(call): \(SystemFault.text(of: errno)) (\(SystemFault.name(of: errno)))"
    }
}
