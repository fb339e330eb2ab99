/// Writes metrics in Prometheus' text format 0.0.4. Names and label names are ours; label values are escaped.
struct PrometheusText {
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""
    /// On every sample.
    private let common: [(name: String, value: String)]

    init(common: [(name: String, value: String)]) { self.common = common }

    mutating func counter(_ name: String, _ help: String, _ value: Int) { one(name, help, .counter, "\(value)") }
    mutating func gauge(_ name: String, _ help: String, _ value: Int) { one(name, help, .gauge, "\(value)") }
    mutating func gauge(_ name: String, _ help: String, _ value: Double) { one(name, help, .gauge, Self.number(value)) }

    /// One sample for each value of a label.
    mutating func family(
        _ name: String, _ help: String, _ kind: Kind, label: String, _ values: [(value: String, count: Int)]
    ) {
        head(name, help, kind)
        for entry in values { sample(name, [(label, entry.value)], "\(entry.count)") }
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, help, .histogram)
        samples(name, histogram, [])
    }

    /// One histogram for each value of a label.
    mutating func family(
        _ name: String, _ help: String, label: String, _ histograms: [(value: String, histogram: Histogram)]
    ) {
        head(name, help, .histogram)
        for entry in histograms { samples(name, entry.histogram, [(label, entry.value)]) }
    }

    private mutating func samples(
        _ name: String, _ histogram: Histogram, _ labels: [(name: String, value: String)]
    ) {
        var below = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            below += count
            sample(name + "_bucket", labels + [("le", Self.number(bound))], "\(below)")
        }
        sample(name + "_bucket", labels + [("le", "+Inf")], "\(histogram.total)")
        sample(name + "_sum", labels, Self.number(histogram.sum))
        sample(name + "_count", labels, "\(histogram.total)")
    }

    private mutating func one(_ name: String, _ help: String, _ kind: Kind, _ value: String) {
        head(name, help, kind)
        sample(name, [], value)
    }

    private mutating func head(_ name: String, _ help: String, _ kind: Kind) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: String) {
        text += name
        let all = common + labels
        if !all.isEmpty {
            text += "{" + all.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " " + value + "\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value.description
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
