/// The tables of a shared object, read from its bytes.
///
/// Every offset and every count is checked against the bytes that there are: a file may say anything. Only what a linker
/// writes for this machine is read; the tables are found by the table of sections, which `strip` leaves in place.
struct ELFFile {
    let bytes: [UInt8]
    let sections: [ELFSection]

    /// Reads the head and the table of sections.
    init(_ bytes: [UInt8]) throws(ELFFault) {
        self.bytes = bytes
        guard bytes.count >= 4, bytes[0..<4] == [0x7F, 0x45, 0x4C, 0x46] else { throw .notELF }
        guard bytes.count >= 64 else { throw .cutShort }
        guard bytes[4] == 2 else { throw .otherWordSize }
        guard bytes[5] == 1 else { throw .otherByteOrder }
        let head = ELFBytes(bytes)
        let machine = try UInt16(head.word(18, 2))
        guard machine == ELFMachine.own else { throw .otherMachine(machine) }
        guard try head.word(16, 2) == 3 else { throw .notShared }
        sections = try Self.sections(head)
    }

    private static func sections(_ head: ELFBytes) throws(ELFFault) -> [ELFSection] {
        let start = try head.word(40, 8)
        let size = try head.word(58, 2)
        let count = try head.word(60, 2)
        let names = try head.word(62, 2)
        guard start != 0, count != 0 else { throw .noSections }
        guard size == 64, names < count else { throw .broken("table of sections") }
        guard start <= head.count, count * 64 <= head.count - start else { throw .cutShort }
        var raw: [ELFSection] = []
        for index in 0..<count { raw.append(try ELFSection(head, at: start + index * 64)) }
        let table = raw[names].file
        for index in raw.indices {
            raw[index].name = try head.text(table.lowerBound + raw[index].nameOffset, in: table)
        }
        return raw
    }

    /// The first section of a name.
    func section(_ name: String) -> ELFSection? { sections.first { $0.name == name } }

    /// The bytes at which a section's addresses begin; what is no part of any section has none.
    func offset(of address: Int) -> Int? {
        for section in sections where section.isLoaded && section.addresses.contains(address) {
            return section.file.lowerBound + (address - section.addresses.lowerBound)
        }
        return nil
    }

    /// The table that a section refers to by its `link`.
    func linked(_ section: ELFSection) throws(ELFFault) -> ELFSection {
        guard section.link < sections.count else { throw .broken("table of sections") }
        return sections[section.link]
    }
}
