import Glibc
import Statistics

/// A line, step or scatter chart as SVG. Colours are CSS variables of the page, so one drawing serves light and dark.
struct SVGChart {
    enum Style { case line, steps, dots }

    struct Series {
        var name: String
        /// Which of the page's colours.
        var colour: Int
        var points: [(x: Double, y: Double)]
        /// Vertical bars around the points.
        var ranges: [(low: Double, high: Double)] = []
        /// Written above the points.
        var labels: [String] = []
    }

    var title: String
    var xLabel: String
    var yLabel: String
    var style: Style
    var logX = false
    var logY = false
    var xBeginsAtZero = false
    var series: [Series]

    private static let width = 760.0
    private static let height = 380.0
    private static let left = 68.0
    private static let right = 18.0
    private static let top = 40.0
    private static let bottom = 50.0

    /// The element; a sentence where there is nothing to draw.
    var svg: String {
        let all = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard !all.isEmpty else { return "<p class=\"empty\">Nothing to draw.</p>" }
        let x = Axis(
            all.map(\.x), isLogarithmic: logX, from: Self.left, to: Self.width - Self.right,
            beginsAtZero: xBeginsAtZero)
        let high = series.flatMap { $0.ranges.map(\.high) }
        let low = series.flatMap { $0.ranges.map(\.low) }
        let y = Axis(
            all.map(\.y) + high + low, isLogarithmic: logY, from: Self.height - Self.bottom, to: Self.top,
            beginsAtZero: true)
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" "
        text += "aria-label=\"\(HTMLText.escaped(title))\">"
        for tick in y.ticks {
            let at = y.place(tick).fixed(1)
            text +=
                "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(at)\" y2=\"\(at)\"/>"
            text += "<text class=\"tick\" x=\"\(Self.left - 8)\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">"
            text += Axis.label(tick) + "</text>"
        }
        for tick in x.ticks {
            let at = x.place(tick).fixed(1)
            text +=
                "<line class=\"grid faint\" y1=\"\(Self.top)\" y2=\"\(Self.height - Self.bottom)\" x1=\"\(at)\" x2=\"\(at)\"/>"
            text += "<text class=\"tick\" x=\"\(at)\" y=\"\(Self.height - Self.bottom + 18)\" text-anchor=\"middle\">"
            text += Axis.label(tick) + "</text>"
        }
        let base = Self.height - Self.bottom
        text +=
            "<line class=\"axis\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(base)\" y2=\"\(base)\"/>"
        let middle = (Self.left + Self.width - Self.right) / 2
        text += "<text class=\"label\" x=\"\(middle)\" y=\"\(Self.height - 10)\" text-anchor=\"middle\">"
        text += HTMLText.escaped(xLabel) + "</text>"
        text += "<text class=\"label\" transform=\"rotate(-90 16 \(base / 2))\" x=\"16\" y=\"\(base / 2)\" "
        text += "text-anchor=\"middle\">" + HTMLText.escaped(yLabel) + "</text>"
        for line in series { text += draw(line, x, y) }
        return text + legend + "</svg>"
    }

    /// One row above the drawing.
    private var legend: String {
        var x = Self.left
        return series.map { line in
            defer { x += 40 + 7.5 * Double(line.name.count) }
            return "<g><rect x=\"\(x)\" y=\"4\" width=\"11\" height=\"11\" rx=\"3\" fill=\"var(--s\(line.colour))\"/>"
                + "<text class=\"label\" x=\"\(x + 18)\" y=\"14\">" + HTMLText.escaped(line.name) + "</text></g>"
        }.joined()
    }

    private func draw(_ series: Series, _ x: Axis, _ y: Axis) -> String {
        let places = series.points.map { (x: x.place($0.x), y: y.place($0.y)) }
        let colour = "var(--s\(series.colour))"
        var text = "<g>"
        switch style {
        case .dots:
            // One path: thousands of circles would make a heavy page.
            let dots = places.map { "M\($0.x.fixed(1)) \($0.y.fixed(1))h.01" }.joined()
            text += "<path d=\"\(dots)\" stroke=\"\(colour)\" stroke-width=\"3\" stroke-linecap=\"round\" "
            text += "stroke-opacity=\".55\" fill=\"none\"/>"
        case .line, .steps:
            var path = ""
            for (index, place) in places.enumerated() {
                if index == 0 {
                    path += "M\(place.x.fixed(1)) \(place.y.fixed(1))"
                } else if style == .steps {
                    path += "H\(place.x.fixed(1))V\(place.y.fixed(1))"
                } else {
                    path += "L\(place.x.fixed(1)) \(place.y.fixed(1))"
                }
            }
            text +=
                "<path d=\"\(path)\" stroke=\"\(colour)\" stroke-width=\"2.2\" fill=\"none\" stroke-linejoin=\"round\"/>"
            if style == .line {
                for (index, place) in places.enumerated() {
                    if index < series.ranges.count {
                        let range = series.ranges[index]
                        text +=
                            "<line x1=\"\(place.x.fixed(1))\" x2=\"\(place.x.fixed(1))\" y1=\"\(y.place(range.low).fixed(1))\" "
                        text +=
                            "y2=\"\(y.place(range.high).fixed(1))\" stroke=\"\(colour)\" stroke-opacity=\".45\" stroke-width=\"5\"/>"
                    }
                    text += "<circle cx=\"\(place.x.fixed(1))\" cy=\"\(place.y.fixed(1))\" r=\"4\" fill=\"\(colour)\">"
                    text += "<title>\(HTMLText.escaped(series.name)): \(Axis.label(series.points[index].x)), "
                    text += "\(Axis.label(series.points[index].y))</title></circle>"
                    if index < series.labels.count {
                        // Clear of the bar around the point, and inside the drawing.
                        let high = index < series.ranges.count ? y.place(series.ranges[index].high) : place.y
                        let isLast = place.x > Self.width - Self.right - 30
                        text +=
                            "<text class=\"tick\" x=\"\(place.x.fixed(1))\" y=\"\(max(30, min(place.y, high) - 9).fixed(1))\" "
                        text +=
                            "text-anchor=\"\(isLast ? "end" : "middle")\">\(HTMLText.escaped(series.labels[index]))</text>"
                    }
                }
            }
        }
        return text + "</g>"
    }
}

/// A range of values laid along a range of the drawing.
struct Axis {
    private let low: Double
    private let high: Double
    private let isLogarithmic: Bool
    private let from: Double
    private let to: Double

    init(_ values: [Double], isLogarithmic: Bool, from: Double, to: Double, beginsAtZero: Bool = false) {
        self.isLogarithmic = isLogarithmic
        self.from = from
        self.to = to
        let finite = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
        var low = finite.min() ?? (isLogarithmic ? 1 : 0)
        var high = finite.max() ?? 1
        if beginsAtZero, !isLogarithmic { low = min(0, low) }
        if high <= low { high = isLogarithmic ? low * 2 : low + 1 }
        self.low = low
        self.high = isLogarithmic ? high : high + (high - low) * 0.04
    }

    func place(_ value: Double) -> Double {
        let share =
            isLogarithmic
            ? (log(max(value, low)) - log(low)) / (log(high) - log(low)) : (value - low) / (high - low)
        return from + (to - from) * min(1, max(0, share))
    }

    /// Round numbers, about five.
    var ticks: [Double] {
        if isLogarithmic {
            let first = Int(log10(low).rounded(.down))
            let last = Int(log10(high).rounded(.up))
            let steps: [Double] = last - first > 3 ? [1] : [1, 2, 5]
            return (first...max(first, last)).flatMap { power in steps.map { $0 * pow(10, Double(power)) } }
                .filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
        }
        let rough = (high - low) / 5
        let scale = pow(10, log10(rough).rounded(.down))
        let step = [1.0, 2, 5, 10].map { $0 * scale }.first { $0 >= rough } ?? rough
        var ticks: [Double] = []
        var tick = (low / step).rounded(.up) * step
        while tick <= high, ticks.count < 20 {
            ticks.append(tick)
            tick += step
        }
        return ticks
    }

    static func label(_ value: Double) -> String {
        let magnitude = value.magnitude
        if magnitude >= 10_000 { return (value / 1000).fixed(0) + "k" }
        if magnitude >= 100 || value == value.rounded() { return value.fixed(0) }
        return magnitude >= 1 ? value.fixed(1) : value.fixed(magnitude >= 0.1 ? 2 : 3)
    }
}

enum HTMLText {
    static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
