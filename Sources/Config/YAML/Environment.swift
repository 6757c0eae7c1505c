import Glibc

/// Where `${NAME}` in a config file is looked up.
package struct Environment: Sendable {
    private let lookup: @Sendable (String) -> String?

    /// An environment that asks a function.
    package init(_ lookup: @escaping @Sendable (String) -> String?) { self.lookup = lookup }

    /// An environment that is just these pairs.
    package init(_ pairs: [String: String]) { self.init { pairs[$0] } }

    /// The environment of this process.
    package static let process = Environment { name in
        // SAFETY: the process never changes its environment, so the string that getenv returns stays; it is copied.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// The value of a variable; nil if it is not set.
    package subscript(name: String) -> String? { lookup(name) }
}
