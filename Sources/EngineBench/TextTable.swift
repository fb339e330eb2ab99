/// Columns for a terminal: the first to the left, the others to the right.
package struct TextTable {
    private var rows: [[String]]

    package init(_ heads: [String]) { rows = [heads] }

    package mutating func append(_ cells: [String]) { rows.append(cells) }

    package var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let line = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }.joined(separator: "  ")
            return line + "\n"
        }.joined()
    }
}

extension Double {
    /// With a number of digits after the point, `-` for what is no number.
    package func fixed(_ digits: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "-" }
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let units = Int((magnitude * scale).rounded())
        let (whole, fraction) = units.quotientAndRemainder(dividingBy: Int(scale))
        let sign = self < 0 && units > 0 ? "-" : ""
        if digits == 0 { return "\(sign)\(whole)" }
        let text = "\(fraction)"
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
    }

    var percent: String { (self * 100).fixed(1) + "%" }
}

extension [Double] {
    /// 0 for none.
    var median: Double {
        if isEmpty { return 0 }
        let sorted = self.sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
