internal import FilterAPI

/// The settings `buffer_limit` of listeners and clusters, and `hold_limit` of listeners.
enum BufferLimit {
    static let usual = ByteSize.kibibytes(64)

    static func validate(_ limit: ByteSize, _ key: String, _ check: inout SettingsCheck) {
        if limit < .kibibytes(4) || limit > .mebibytes(1024) {
            check.error(key, "must be between 4KiB and 1024MiB")
        }
    }
}
