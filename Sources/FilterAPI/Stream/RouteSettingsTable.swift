/// The settings that one route has for the filters of its chain, by stage.
public final class RouteSettingsTable: Sendable {
    @usableFromInline package let byStage: [RouteSettingsBox?]

    package init(byStage: [RouteSettingsBox?]) { self.byStage = byStage }

    /// The settings of one stage, where they are of this type.
    @inlinable
    package func settings<S: FilterSettings>(of type: S.Type, stage: Int) -> S? {
        guard stage < byStage.count, let box = byStage[stage] else { return nil }
        return box.value(as: type)
    }
}

/// The settings of one filter on one route, of a type that is told by comparing two pointers.
///
/// Not an existential with a cast: that takes some hundred nanoseconds, for each request.
///
/// SAFETY: only ``TypedRouteSettings`` is ever made, and it never changes.
@usableFromInline
package class RouteSettingsBox: @unchecked Sendable {
    @usableFromInline let type: ObjectIdentifier

    fileprivate init(type: ObjectIdentifier) { self.type = type }

    /// The settings, where they are of this type.
    @inlinable
    @inline(__always)
    func value<S: FilterSettings>(as type: S.Type) -> S? {
        guard self.type == ObjectIdentifier(type) else { return nil }
        // SAFETY: the initialiser wrote the type of what it holds.
        return unsafe unsafeDowncast(self, to: TypedRouteSettings<S>.self).value
    }
}

/// See ``RouteSettingsBox``.
@usableFromInline
package final class TypedRouteSettings<S: FilterSettings>: RouteSettingsBox, @unchecked Sendable {
    @usableFromInline let value: S

    package init(_ value: S) {
        self.value = value
        super.init(type: ObjectIdentifier(S.self))
    }
}
