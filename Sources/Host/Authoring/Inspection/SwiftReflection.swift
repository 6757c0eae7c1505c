/// What the Swift compiler writes into a shared object about its types, read without running it: which protocols they
/// conform to, what their associated types are, and the fields of structs.
///
/// The form is that of swift/ABI/Metadata.h and swift/RemoteInspection/Records.h; it has been the same since Swift 5.
/// What does not look like that is left out.
struct SwiftReflection {
    struct Field: Equatable {
        let name: String
        /// As in the source, without the names of modules.
        let type: String
    }

    let reader: SwiftRecordReader
    /// The protocols of each type.
    private(set) var protocols: [String: Set<String>] = [:]
    /// The associated types of each type.
    private(set) var associated: [String: [String: String]] = [:]
    private(set) var fields: [String: [Field]] = [:]

    init(_ file: PluginFile) throws(ELFFault) {
        reader = SwiftRecordReader(file, try ELFRelocations(file.elf))
        readConformances(file.elf)
        readAssociatedTypes(file.elf)
        readFields(file.elf)
    }

    private mutating func readConformances(_ elf: ELFFile) {
        guard let section = elf.section("swift5_protocol_conformances") else { return }
        for entry in stride(from: section.addresses.lowerBound, to: section.addresses.upperBound - 3, by: 4) {
            guard let record = reader.relative(at: entry),
                let name = reader.protocolName(at: record),
                let type = reader.relative(at: record + 4).flatMap({ reader.typeName(ofContext: $0) })
            else { continue }
            protocols[type, default: []].insert(name)
        }
    }

    private mutating func readAssociatedTypes(_ elf: ELFFile) {
        guard let section = elf.section("swift5_assocty") else { return }
        var record = section.addresses.lowerBound
        while record + 16 <= section.addresses.upperBound {
            guard let count = reader.word(at: record + 8), count < 1000 else { return }
            if let type = reader.typeText(at: record) {
                for index in 0..<count {
                    let entry = record + 16 + index * 8
                    guard let name = reader.relative(at: entry).flatMap({ reader.text(at: $0) }),
                        let value = reader.typeText(at: entry + 4)
                    else { continue }
                    associated[type, default: [:]][name] = value
                }
            }
            record += 16 + count * 8
        }
    }

    private mutating func readFields(_ elf: ELFFile) {
        guard let section = elf.section("swift5_fieldmd") else { return }
        var record = section.addresses.lowerBound
        while record + 16 <= section.addresses.upperBound {
            guard let count = reader.word(at: record + 12), count < 10_000 else { return }
            if let type = reader.typeText(at: record) {
                var found: [Field] = []
                for entry in stride(from: record + 16, to: record + 16 + count * 12, by: 12) {
                    guard let name = reader.relative(at: entry + 8).flatMap({ reader.text(at: $0) }) else { continue }
                    found.append(Field(name: name, type: reader.typeText(at: entry + 4) ?? "?"))
                }
                fields[type] = found
            }
            record += 16 + count * 12
        }
    }
}
