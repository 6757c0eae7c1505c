/// Shared state that is read from files, and read again when they change.
///
/// The host watches the folders of the files, so that it sees a file that is written in place, one that is renamed over
/// the old one, and a symbolic link on the way that is turned elsewhere, as Kubernetes does with mounted secrets.
public protocol WatchedState: AnyObject, Sendable {
    /// The files; asked for again after each call of ``refresh(_:)``.
    var files: [String] { get }

    /// Looks at the files anew: one of them may have changed, or the time asked for has passed, or the operator has
    /// asked for a reload. On the control thread, one call at a time; may read files.
    ///
    /// What cannot be used must leave what is there in place.
    ///
    /// - Parameter moment: the time of day.
    /// - Returns: when to call at the latest again, changed files or not; nil for no such time.
    func refresh(_ moment: Moment) -> Duration?

    /// The certificates that it has, for the operator; on the control thread.
    var certificates: [CertificateSummary] { get }
}

extension WatchedState {
    /// None.
    public var certificates: [CertificateSummary] { [] }
}

/// A time of day.
public struct Moment: Sendable {
    /// Seconds since 1970 (UTC).
    public var seconds: Int64

    /// From seconds since 1970.
    public init(seconds: Int64) { self.seconds = seconds }
}
