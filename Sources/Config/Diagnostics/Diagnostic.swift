/// One thing that is wrong with a config file.
package struct Diagnostic: Sendable {
    /// Whether the config is refused.
    package enum Severity: String, Sendable {
        /// The config is refused.
        case error
        /// The config is used.
        case warning
    }

    /// Another place that has to do with it.
    package struct Related: Sendable {
        /// Where.
        package var place: Place
        /// What is there, in a few words: `first written here`.
        package var label: String

        /// A place and what is there.
        package init(_ label: String, at place: Place) {
            self.place = place
            self.label = label
        }
    }

    /// Whether the config is refused.
    package var severity: Severity
    /// The cause's stable code.
    package var code: DiagnosticCode
    /// What is wrong, in lower case and without a full stop.
    package var message: String
    /// Where; nil if it is about the file as a whole.
    package var place: Place?
    /// What would be right, in a few words; shown beside the caret.
    package var hint: String?
    /// The keys or words that are accepted there.
    package var accepted: [String] = []
    /// Other places that have to do with it.
    package var related: [Related] = []
}
