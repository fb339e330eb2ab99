/// What so many rows took: a point of a measured line.
package struct TimedRows: Sendable, Equatable {
    package var rows: Int
    package var seconds: Double

    package init(rows: Int, seconds: Double) {
        self.rows = rows
        self.seconds = seconds
    }
}
