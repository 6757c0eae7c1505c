/// `sluice filter`: what authors of filters need.
enum FilterCommand: Equatable {
    case new(FilterCreation)
    case run(FilterRun)
    case test(FilterTest)
    case bench(FilterBench)
    case inspect(FilterInspection)

    /// The words that may follow `filter`.
    static let verbs = ["new", "run", "test", "bench", "inspect"]

    /// Reads what stands behind `filter`.
    static func read(_ arguments: [String]) throws(UsageError) -> FilterCommand {
        guard let verb = arguments.first else {
            throw UsageError(message: "`filter` needs one of \(verbs.joined(separator: ", "))")
        }
        let rest = Array(arguments.dropFirst())
        switch verb {
        case "new": return .new(try FilterCreation.read(rest))
        case "run": return .run(try FilterRun.read(rest))
        case "test": return .test(try FilterTest.read(rest))
        case "bench": return .bench(try FilterBench.read(rest))
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
    func run() throws(UsageError) -> Int32 {
        switch self {
        case .new(let command): try command.run()
        case .run(let command): try command.run()
        case .test(let command): try command.run()
        case .bench(let command): try command.run()
        case .inspect(let command): command.run()
        }
    }
}
