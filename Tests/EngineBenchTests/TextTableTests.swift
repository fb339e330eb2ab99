import EngineBench
import Testing

struct TextTableTests {
    @Test func columnsAreAligned() {
        var table = TextTable(["operation", "ms"])
        table.append(["norms", "1.5"])
        table.append(["x", "100.25", "note"])
        #expect(table.text == "operation      ms\nnorms         1.5\nx          100.25  note\n")
    }
}
