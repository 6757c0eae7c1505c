internal import FilterAPI
internal import FilterTesting

/// A filter on a worker of its own.
func make<F: Filter>(_ type: F.Type, _ edit: (inout F.Settings) -> Void = { _ in }) -> F {
    do throws(ConfigurationFault) { return try FakeWorker().make(type, edit) } catch { fatalError(error.message) }
}
