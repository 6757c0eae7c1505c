internal import Config
internal import Engine
internal import FilterAPI

/// Brings the filters of the shared objects that a config names, and says at its lines which cannot be used and why.
struct PluginLoader {
    let diagnostics: Diagnostics
    /// The config file; paths are relative to its folder.
    let base: String

    /// Loads what the config names and adds its filters to the registry.
    ///
    /// - Returns: what was loaded, for the log.
    @discardableResult
    func load(_ plugins: [PluginSettings], _ node: Node?, into registry: inout FilterRegistry) -> [PluginReport] {
        var reports: [PluginReport] = []
        for (index, plugin) in plugins.enumerated() {
            let entry = node?.elements.flatMap { index < $0.count ? $0[index] : nil } ?? node
            let place = (entry?["path"] ?? entry)?.place
            do throws(PluginRefusal) {
                let path = ConfigFolder(of: base).resolve(plugin.path)
                guard let folder = try PluginFolder(path) else {
                    reports.append(try add(path, plugin, to: &registry))
                    continue
                }
                add(folder, plugin, at: place, to: &registry, &reports)
            } catch {
                refuse(plugin.path, error, at: place)
            }
        }
        return reports
    }

    private func add(
        _ folder: PluginFolder, _ settings: PluginSettings, at place: Place?, to registry: inout FilterRegistry,
        _ reports: inout [PluginReport]
    ) {
        var found = false
        for path in folder.paths {
            do throws(PluginRefusal) {
                guard try folder.hasPlugin(at: path) else { continue }
                found = true
                reports.append(try add(path, settings, to: &registry))
            } catch {
                found = true
                refuse(path, error, at: place)
            }
        }
        if !found {
            diagnostics.warning(
                .noPlugins, "there is no plugin in the folder `\(settings.path)`", at: place,
                hint: "a plugin is a file whose name ends in `.so`")
        }
    }

    private func add(
        _ path: String, _ settings: PluginSettings, to registry: inout FilterRegistry
    ) throws(PluginRefusal) -> PluginReport {
        let begin = Syscalls.timeNow()
        let plugin = try LoadedPlugin.at(path)
        let module = PluginModule.of(path: path, linkedName: plugin.linkedName, settings: settings)
        for type in plugin.types {
            if let old = registry.add(type, of: module), old != type {
                throw PluginRefusal("it brings a filter `\(type.manifest.id)`, and there is one of that name already")
            }
        }
        return PluginReport(
            module: module, filters: plugin.types.map { $0.manifest.id }, time: Syscalls.timeNow() - begin)
    }

    private func refuse(_ path: String, _ refusal: PluginRefusal, at place: Place?) {
        diagnostics.error(
            .badPlugin, "the plugin `\(path)` cannot be used: \(refusal.message)", at: place, hint: refusal.hint)
    }
}
