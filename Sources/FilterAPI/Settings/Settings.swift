/// A value that is read from the config file.
///
/// Write a plain struct whose properties all have defaults, and the compiler does the rest:
///
/// ```swift
/// struct Settings: FilterSettings {
///     var header = "x-api-key"
///     var cacheTTL = Duration.seconds(60)     // `cache_ttl: 60s` in the file
///     var maxBody = ByteSize.kibibytes(64)    // `max_body: 64KiB`
///     var upstream: String?                   // required: see `validate`
/// }
/// ```
///
/// Keys are the property names in snake case. A key that is missing in the file keeps the default; a key that the
/// struct does not have is an error that names the nearest one. Nested structs, arrays and dictionaries of settings,
/// enums with `String` raw values (written as in the file: `case connectFailure = "connect-failure"`), numbers,
/// booleans, strings, `Duration`, ``ByteSize`` and ``RawRouteSettings`` may be used. Make an enum `CaseIterable`,
/// so that a message can list the words that it accepts.
///
/// Digits belong to the word before them (`sha256` stays `sha256`, `http2Streams` is `http2_streams`). Where another
/// name is wanted, write the `CodingKeys` with it: `case acceptHTTP10 = "accept_http_10"`.
///
/// Settings live as long as the config generation that holds them, are immutable, and are read from every worker.
public protocol SettingsStruct: Codable, Sendable {
    /// The defaults: what an empty mapping means.
    init()

    /// Reads the short form, where the file has a bare scalar in place of a mapping.
    ///
    /// - Parameter shorthand: the scalar's text.
    /// - Returns: nil where this type has no short form, or the text is not one; the default does so always.
    init?(shorthand: String)

    /// Reports what decoding could not see: missing values, values that exclude each other, names of clusters.
    ///
    /// Called once per decoded value, on the control thread, before any filter is made. Reports are shown to the
    /// operator at the line and column of the key that they name.
    func validate(_ check: inout SettingsCheck)
}

extension SettingsStruct {
    /// Has no short form.
    public init?(shorthand: String) { return nil }
    /// Accepts everything.
    public func validate(_ check: inout SettingsCheck) {}
}

/// The settings of a filter: ``SettingsStruct`` under the name that the filter contract asks for.
public protocol FilterSettings: SettingsStruct {}

/// Settings of a filter that has nothing to set.
public struct NoSettings: FilterSettings {
    /// The one value.
    public init() {}
}
