import FilterTesting
import Testing

@testable import Filters

@Suite("The waiting line")
struct WaitingLineTests {
    @Test("Keeps the order of those who stay, whoever leaves", arguments: 0..<20 as Range<UInt64>)
    func order(seed: UInt64) {
        var generator = SmallGenerator(seed: seed)
        var line = WaitingLine<Int>()
        var model: [(number: Int, place: Int)] = []
        for number in 0..<2000 {
            switch Int.random(in: 0..<(number < 1000 ? 4 : 8), using: &generator) {
            case 0, 1: model.append((number, line.append(number)))
            case 2 where !model.isEmpty: #expect(line.popFirst() == model.removeFirst().number)
            default:
                guard let index = model.indices.randomElement(using: &generator) else { break }
                let gone = model.remove(at: index)
                #expect(line.remove(at: gone.place) == gone.number)
                #expect(line.remove(at: gone.place) == nil)
            }
            #expect(line.count == model.count)
            #expect(line.first == model.first?.number)
        }
        var rest: [Int] = []
        while let next = line.popFirst() { rest.append(next) }
        #expect(rest == model.map(\.number))
    }
}
