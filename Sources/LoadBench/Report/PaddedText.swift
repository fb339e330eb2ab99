extension String {
    /// Filled up with spaces on the right.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// In the middle of a line of `fill`; the odd one goes to the right, as Python does it.
    func centred(in width: Int, fill: Character) -> String {
        let missing = max(0, width - count)
        let left = missing / 2
        return String(repeating: fill, count: left) + self + String(repeating: fill, count: missing - left)
    }
}
