import Statistics

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
    var percent: String { (self * 100).fixed(1) + "%" }
}
