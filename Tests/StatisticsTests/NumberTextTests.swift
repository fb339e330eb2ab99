import Statistics
import Testing

struct NumberTextTests {
    @Test(arguments: [
        (0.0, 0, "0"), (1.25, 2, "1.25"), (1.005e3, 1, "1005.0"), (-0.04, 1, "0.0"), (-2.5, 1, "-2.5"),
        (0.999, 2, "1.00"), (12.05, 2, "12.05"), (.infinity, 1, "-"), (.nan, 1, "-"),
    ])
    func numbersHaveFixedDigits(value: Double, digits: Int, text: String) {
        #expect(value.fixed(digits) == text)
    }
}
