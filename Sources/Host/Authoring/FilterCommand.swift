/// `sluice filter`: what authors of filters need.
enum FilterCommand: Equatable {
    case inspect(FilterInspection)

    /// The words that may follow `filter`.
    static let verbs = ["inspect"]

    /// Reads what stands behind `filter`.
    static func read(_ arguments: [String]) throws(UsageError) -> FilterCommand {
        guard let verb = arguments.first else {
            throw UsageError(message: "`filter` needs one of \(verbs.joined(separator: ", "))")
        }
        let rest = Array(arguments.dropFirst())
        switch verb {
        case "inspect": return .inspect(try FilterInspection.read(rest))
        default:
            let near = nearest(verb, verbs)
            throw UsageError(
                message: "there is no command `filter \(verb)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
        }
    }

    /// Runs the command.
    ///
    /// - Returns: the exit code.
    func run() -> Int32 {
        switch self {
        case .inspect(let command): command.run()
        }
    }
}
