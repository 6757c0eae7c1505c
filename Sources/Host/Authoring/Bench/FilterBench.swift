internal import Config
internal import Engine
internal import FilterAPI

/// `sluice filter bench`: what a filter of a plugin costs per request.
struct FilterBench: Equatable {
    /// A shared object, or the folder of a package.
    var path = "."
    /// Which filter, where there are several.
    var filter: String?
    /// As they stand in a config file.
    var settings = "{}"

    static func read(_ arguments: [String]) throws(UsageError) -> FilterBench {
        var words = Words("filter bench", arguments, ["--filter", "--settings"])
        var bench = FilterBench()
        var path: String?
        while let word = try words.next() {
            switch word {
            case .plain(let plain):
                guard path == nil else { throw UsageError(message: "`filter bench` takes one file or folder") }
                path = plain
            case .option("--filter"): bench.filter = try words.value()
            case .option: bench.settings = try words.value()
            }
        }
        bench.path = path ?? "."
        return bench
    }

    /// Runs the command.
    ///
    /// - Returns: the exit code.
    func run() throws(UsageError) -> Int32 {
        guard let file = path.hasSuffix(".so") ? path : try built() else { return 1 }
        do throws(PluginRefusal) {
            return measure(try chosen(try LoadedPlugin.at(file).types))
        } catch {
            Terminal.error("sluice: \(file) cannot be measured: \(error.message)\n")
            if let hint = error.hint { Terminal.error("  \(hint)\n") }
            return 1
        }
    }

    /// Builds the package.
    ///
    /// - Returns: its plugin; nil where there is none, which was said then.
    private func built() throws(UsageError) -> String? {
        let package = try FilterPackage(path)
        let words = ["build", "--quiet", "--package-path", path, "-c", FilterPackage.configuration(isDebug: false)]
        guard try SwiftProgram.run(try SwiftProgram.find(), words) == 0 else { return nil }
        if let first = (try? package.plugins(isDebug: false))?.first { return first }
        Terminal.error("sluice: there is no plugin in \(path)/.build/release\n")
        return nil
    }

    private func chosen(_ types: [any Filter.Type]) throws(PluginRefusal) -> StagePlan {
        let names = types.map { $0.manifest.id }
        guard filter != nil || types.count == 1 else {
            throw PluginRefusal(
                "it brings \(names.joined(separator: ", "))", hint: "say which one by `--filter \(names.first ?? "ID")`"
            )
        }
        guard let type = types.first(where: { filter == nil || $0.manifest.id == filter }) else {
            throw PluginRefusal("it has no filter `\(filter ?? "")`, but \(names.joined(separator: ", "))")
        }
        guard Role(of: type) == .httpFilter else {
            throw PluginRefusal("`\(type.manifest.id)` is \(Role(of: type).text); only HTTP filters can be measured")
        }
        return StagePlan(name: type.manifest.id, type: type, settings: try decoded(type))
    }

    private func decoded<F: Filter>(_ type: F.Type) throws(PluginRefusal) -> any FilterSettings {
        let diagnostics = Diagnostics(file: "--settings")
        let root = Document.parse(Array(settings.utf8), name: "--settings", into: diagnostics)?.root
        if let root, let value = SettingsDecoder().decode(F.Settings.self, from: root, into: diagnostics)?.value {
            return value
        }
        throw PluginRefusal("its settings are not right:\n" + diagnostics.rendered(as: .text))
    }

    private func measure(_ stage: StagePlan) -> Int32 {
        do {
            let (without, with) = (try ChainTrial(stages: []), try ChainTrial(stages: [stage]))
            guard with.tryOnce() == .passed else {
                Terminal.error(
                    "sluice: `\(stage.name)` does not let a plain GET and its answer go on at once, which is what is measured\n"
                        + "  give it other settings by `--settings '{ key: value }'`\n")
                return 1
            }
            Terminal.output(FilterCost(without: without, with: with).text(stage.name))
            return 0
        } catch let refusal as ChainBuilder.Refusal {
            let fault = refusal.fault
            Terminal.error("sluice: `\(stage.name)` refuses its settings: \(fault.key) \(fault.message)\n")
        } catch {
            Terminal.error("sluice: \(error)\n")
        }
        return 1
    }
}
