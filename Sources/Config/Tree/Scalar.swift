/// A single value of the file, as text: what it means depends on who reads it.
package struct Scalar: Sendable {
    /// How the value is written.
    package enum Style: Sendable {
        /// Without quotes: may be a number, a boolean or text.
        case plain
        /// In single or double quotes: text.
        case quoted
        /// A block after `|` or `>`: text.
        case block
    }

    /// The value, after references to the environment and to files have been put in.
    package var text: String
    /// How it is written.
    package var style: Style
    /// The tag as libyaml resolves it (`tag:yaml.org,2002:str`), or nil.
    package var tag: String?
    /// What the file says, where that differs from `text`: `${TOKEN}`, `!file token.txt`.
    package var reference: String?
    /// Whether `text` came from the environment or from another file: it is never shown.
    package var isSecret = false
    /// Whether a reference in it could not be resolved.
    ///
    /// That has been reported; `text` means nothing.
    package var isBroken = false

    /// Whether the text may be read as a number or a boolean: unquoted, or put in from elsewhere.
    package var mayBeTyped: Bool { style == .plain || reference != nil }
}
