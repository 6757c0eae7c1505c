/// The names that a shared object offers to others and wants from them.
struct ELFSymbols {
    struct Symbol {
        let name: String
        /// Whether it is in this object, and not only named here.
        let isDefined: Bool
        /// Whether nothing is wrong where nobody has it.
        let isWeak: Bool
    }

    /// In the order of the table, which relocations refer to.
    let all: [Symbol]

    init(_ file: ELFFile) throws(ELFFault) {
        guard let section = file.sections.first(where: { $0.kind == ELFSection.Kind.dynamicSymbols }) else {
            throw .broken("table of symbols")
        }
        let texts = try file.linked(section).file
        let bytes = ELFBytes(file.bytes)
        var all: [Symbol] = []
        all.reserveCapacity(section.file.count / 24)
        for entry in stride(from: section.file.lowerBound, to: section.file.upperBound - 23, by: 24) {
            let offset = try bytes.word(entry, 4)
            guard offset < texts.count else { throw .broken("table of symbols") }
            all.append(
                Symbol(
                    name: try bytes.text(texts.lowerBound + offset, in: texts),
                    isDefined: try bytes.word(entry + 6, 2) != 0,
                    isWeak: try bytes.word(entry + 4, 1) >> 4 == 2))
        }
        self.all = all
    }

    /// Whether others can call or read it.
    func defines(_ name: String) -> Bool { all.contains { $0.isDefined && $0.name == name } }

    /// What it cannot be loaded without.
    var wanted: [String] { all.filter { !$0.isDefined && !$0.isWeak && !$0.name.isEmpty }.map(\.name) }
}
