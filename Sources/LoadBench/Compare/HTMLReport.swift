import Statistics

/// The comparison as one HTML file: no scripts, nothing fetched, light and dark.
package enum HTMLReport {
    /// - Parameters:
    ///   - work: what was sent, in a person's words.
    ///   - machine: where the client ran.
    ///   - command: how to make the report again.
    ///   - date: when.
    package static func page(
        _ comparison: Comparison, work: String, machine: String, command: String, date: String
    ) -> String {
        let names = comparison.targets.map { HTMLText.escaped($0.name) }
        var body = "<header><p class=\"brand\">radish bench compare</p><h1>\(names.joined(separator: " · "))</h1>"
        body += "<p class=\"lead\">\(HTMLText.escaped(work))</p></header>"
        body += "<ul class=\"legend\">"
        for (index, target) in comparison.targets.enumerated() {
            body += "<li><i style=\"background:var(--s\(index % 6))\"></i><b>\(names[index])</b> "
            body += "<span>\(HTMLText.escaped(target.url)), \(target.backend.rawValue)</span></li>"
        }
        body += "</ul>"
        for warning in ComparisonTable.warnings(comparison) {
            body += "<p class=\"warning\">\(HTMLText.escaped(warning))</p>"
        }
        for other in comparison.targets.indices.dropFirst() { body += findings(comparison, other: other) }
        if comparison.rates.count > 1 { body += curves(comparison) }
        let rate = comparison.rates.last ?? .infinity
        body += figure(
            "Time to first token", "Share of requests that had their first token by then, \(load(rate)).",
            distribution(comparison, rate: rate))
        body += figure(
            "Inter-token timeline", "Each dot is the gap before one token; first repetition, \(load(rate)).",
            timeline(comparison, rate: rate))
        for other in comparison.targets.indices.dropFirst() {
            for rate in comparison.rates.reversed() { body += ratios(comparison, other: other, rate: rate) }
        }
        body += summary(comparison)
        body += "<footer><p>\(HTMLText.escaped(date)) · \(HTMLText.escaped(machine))</p>"
        body += "<p>Runs were interleaved (A B, B A, …). Intervals: two-level bootstrap over repetitions and requests, "
        body +=
            "widened to Student's t over the repetitions; a verdict is given only where the interval excludes 1.</p>"
        body += "<pre>\(HTMLText.escaped(command))</pre></footer>"
        return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            + "content=\"width=device-width, initial-scale=1\"><title>\(names.joined(separator: " vs "))</title>"
            + "<style>\(style)</style></head><body><main>\(body)</main></body></html>\n"
    }

    private static func load(_ rate: Double) -> String {
        rate.isInfinite ? "all requests at once" : "\(Axis.label(rate)) requests per second"
    }

    /// The verdicts at the highest rate as three large numbers, or the sentence that there are none.
    private static func findings(_ comparison: Comparison, other: Int) -> String {
        guard let rate = comparison.rates.last else { return "" }
        let base = comparison.targets[0].name
        let name = comparison.targets[other].name
        var text = "<section class=\"findings\"><h2>\(HTMLText.escaped(name)) against \(HTMLText.escaped(base))</h2>"
        text += "<p class=\"sub\">\(load(rate)), \(comparison.repetitions) repetitions</p><div class=\"tiles\">"
        let lines = comparison.lines(rate: rate, other: other)
        for metric in [Comparison.Metric.medianTTFT, .medianLatency, .outputThroughput] {
            guard let line = lines.first(where: { $0.metric == metric }) else { continue }
            let advantage = line.advantage
            let kind = !advantage.isDifferent ? "even" : advantage.low > 1 ? "good" : "bad"
            text += "<div class=\"tile \(kind)\"><b>\(advantage.ratio.fixed(2))×</b><span>"
            text += "\(metric.name)</span><small>"
            text += "\(advantage.low.fixed(2)) – \(advantage.high.fixed(2))<br>"
            text += HTMLText.escaped(ComparisonTable.verdict(line, base: base, other: name)) + "</small></div>"
        }
        let decided = lines.filter(\.advantage.isDifferent)
        let better = decided.count { $0.advantage.low > 1 }
        return text
            + "</div><p class=\"sub\">Of \(lines.count) numbers, \(HTMLText.escaped(name)) is better in \(better), "
            + "\(HTMLText.escaped(base)) in \(decided.count - better); the others show no difference.</p></section>"
    }

    private static func ratios(_ comparison: Comparison, other: Int, rate: Double) -> String {
        let base = comparison.targets[0].name
        let name = comparison.targets[other].name
        var text = "<section><h2>\(HTMLText.escaped(name)) against \(HTMLText.escaped(base))</h2><p class=\"sub\">"
        text += "\(load(rate)), \(comparison.repetitions) repetitions. Advantage above 1 means that "
        text += "\(HTMLText.escaped(name)) is better.</p><div class=\"scroll\"><table><thead><tr><th>Metric</th><th>"
        text +=
            "\(HTMLText.escaped(base))</th><th>\(HTMLText.escaped(name))</th><th>Advantage</th><th>95% interval</th>"
        text += "<th class=\"bar\">0.5× · 1× · 2×</th><th>Verdict</th></tr></thead><tbody>"
        for line in comparison.lines(rate: rate, other: other) {
            let advantage = line.advantage
            let kind = !advantage.isDifferent ? "even" : advantage.low > 1 ? "good" : "bad"
            text += "<tr class=\"\(kind)\"><td>\(line.metric.rawValue)</td><td>\(line.base.fixed(2))</td>"
            text += "<td>\(line.value.fixed(2))</td><td><b>\(advantage.ratio.fixed(2))×</b></td>"
            text += "<td>\(advantage.low.fixed(2)) – \(advantage.high.fixed(2))</td>"
            text += "<td class=\"bar\">\(interval(advantage))</td><td class=\"verdict\">"
            text += HTMLText.escaped(ComparisonTable.verdict(line, base: base, other: name)) + "</td></tr>"
        }
        return text + "</tbody></table></div></section>"
    }

    /// The interval as a bar on a logarithmic scale from a half to twice.
    private static func interval(_ interval: RatioInterval) -> String {
        let axis = Axis([0.5, 2], isLogarithmic: true, from: 4, to: 156)
        let low = axis.place(interval.low)
        let high = axis.place(interval.high.isFinite ? interval.high : 1e9)
        var text =
            "<svg class=\"interval\" viewBox=\"0 0 160 18\"><line class=\"axis\" x1=\"80\" x2=\"80\" y1=\"0\" y2=\"18\"/>"
        text +=
            "<rect class=\"range\" x=\"\(low.fixed(1))\" width=\"\(max(2, high - low).fixed(1))\" y=\"6\" height=\"6\" rx=\"3\"/>"
        text += "<circle class=\"dot\" cx=\"\(axis.place(interval.ratio).fixed(1))\" cy=\"9\" r=\"4.5\"/></svg>"
        return text
    }

    private static func figure(_ title: String, _ caption: String, _ chart: SVGChart) -> String {
        "<section><h2>\(title)</h2><p class=\"sub\">\(HTMLText.escaped(caption))</p>\(chart.svg)</section>"
    }

    private static func curves(_ comparison: Comparison) -> String {
        func chart(_ title: String, _ y: String, _ value: @escaping (ServingSummary) -> Double) -> SVGChart {
            let series = comparison.targets.indices.map { target -> SVGChart.Series in
                var line = SVGChart.Series(name: comparison.targets[target].name, colour: target % 6, points: [])
                for rate in comparison.rates {
                    let runs = comparison.runs(of: target, rate: rate)
                    guard !runs.isEmpty else { continue }
                    let values = runs.map { value($0.summary) }
                    let throughput = runs.reduce(0) { $0 + $1.summary.outputThroughput } / Double(runs.count)
                    line.points.append((throughput, Distribution(values).median))
                    line.ranges.append((values.min() ?? 0, values.max() ?? 0))
                    line.labels.append(rate.isInfinite ? "∞" : "\(Axis.label(rate))/s")
                }
                return line
            }
            return SVGChart(
                title: title, xLabel: "Output throughput (tokens/s)", yLabel: y, style: .line,
                logY: true, xBeginsAtZero: true, series: series)
        }
        let rates = comparison.rates.map { $0.isInfinite ? "∞" : Axis.label($0) }.joined(separator: ", ")
        return figure(
            "Throughput and latency",
            "One point for each request rate (\(rates) per second); bars span the repetitions.",
            chart("Throughput and median TTFT", "Median TTFT (ms)") { $0.timeToFirstToken.median * 1000 })
            + figure(
                "Throughput and the whole answer", "As above, for the time until the last token.",
                chart("Throughput and median latency", "Median E2E latency (ms)") { $0.latency.median * 1000 })
    }

    private static func distribution(_ comparison: Comparison, rate: Double) -> SVGChart {
        let series = comparison.targets.indices.map { target in
            let values = Distribution(
                comparison.runs(of: target, rate: rate).flatMap { $0.summary.timeToFirstToken.sorted })
            // Two hundred steps are as good as thousands.
            let count = min(200, values.count)
            let points = (0..<count).map { index -> (x: Double, y: Double) in
                let share = count > 1 ? Double(index) / Double(count - 1) : 1
                return (max(0.001, values.percentile(share * 100) * 1000), share * 100)
            }
            return SVGChart.Series(name: comparison.targets[target].name, colour: target % 6, points: points)
        }
        return SVGChart(
            title: "Distribution of the time to first token", xLabel: "Time to first token (ms)",
            yLabel: "Requests (%)", style: .steps, logX: true, series: series)
    }

    private static func timeline(_ comparison: Comparison, rate: Double) -> SVGChart {
        let series = comparison.targets.indices.map { target -> SVGChart.Series in
            var points: [(x: Double, y: Double)] = []
            if let run = comparison.runs(of: target, rate: rate).first {
                for outcome in run.outcomes where outcome.isSuccess {
                    var time = outcome.start + outcome.timeToFirstToken
                    for gap in outcome.interTokenTimes {
                        time += gap
                        points.append((time, max(0.001, gap * 1000)))
                    }
                }
            }
            // Evenly thinned, but the long gaps are what one looks for.
            let limit = 4000
            if points.count > limit {
                let long = points.sorted { $0.y > $1.y }.prefix(limit / 8)
                let every = points.count / (limit - limit / 8) + 1
                points = points.enumerated().filter { $0.offset % every == 0 }.map(\.element) + long
            }
            return SVGChart.Series(name: comparison.targets[target].name, colour: target % 6, points: points)
        }
        return SVGChart(
            title: "Gaps between tokens over time", xLabel: "Time since the start (s)", yLabel: "Gap (ms)",
            style: .dots,
            logY: true, series: series)
    }

    private static func summary(_ comparison: Comparison) -> String {
        var text = "<section><h2>All runs</h2><div class=\"scroll\"><table><thead><tr><th>Server</th><th>Rate</th>"
        text +=
            "<th>Rep.</th><th>Done</th><th>Failed</th><th>tok/s</th><th>TTFT p50</th><th>TTFT p99</th><th>ITL p50</th>"
        text += "<th>ITL p99</th><th>E2E p50</th><th>Cache before</th><th>Hits</th></tr></thead><tbody>"
        for sample in comparison.samples.sorted(by: {
            ($0.rate, $0.repetition, $0.target) < ($1.rate, $1.repetition, $1.target)
        }) {
            let summary = sample.run.summary
            let hits = sample.run.cache.serverHitRate ?? summary.cacheHitRate
            text += "<tr><td><i style=\"background:var(--s\(sample.target % 6))\"></i>"
            text += HTMLText.escaped(comparison.targets[sample.target].name) + "</td><td>"
            text += (sample.rate.isInfinite ? "∞" : Axis.label(sample.rate)) + "</td><td>\(sample.repetition + 1)</td>"
            text +=
                "<td>\(summary.completed)</td><td>\(summary.failed)</td><td>\(summary.outputThroughput.fixed(1))</td>"
            for value in [
                summary.timeToFirstToken.median, summary.timeToFirstToken.percentile(99), summary.interTokenTime.median,
                summary.interTokenTime.percentile(99), summary.latency.median,
            ] {
                text += "<td>\((value * 1000).fixed(1))</td>"
            }
            text +=
                "<td>\(sample.run.cache.before.name)</td><td>\(hits.map { ($0 * 100).fixed(0) + "%" } ?? "–")</td></tr>"
        }
        return text + "</tbody></table></div><p class=\"sub\">Times in milliseconds.</p></section>"
    }

    /// Series colours: Okabe and Ito's palette, which colour-blind readers tell apart; lighter in the dark.
    private static let style = """
        :root{color-scheme:light dark;--bg:#fbfaf8;--card:#fff;--fg:#1d1f23;--soft:#666c76;--line:#e4e2dd;--accent:#b3123d;\
        --good:#0a7f4f;--bad:#b4400a;--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#cc79a7;--s4:#8a6d00;--s5:#56606b}\
        @media(prefers-color-scheme:dark){:root{--bg:#14161a;--card:#1c1f25;--fg:#eceef1;--soft:#9aa3af;--line:#2e333b;\
        --accent:#ff6f91;--good:#4cd39a;--bad:#ff9a5c;--s0:#56b4e9;--s1:#ff9447;--s2:#3ecf9f;--s3:#e59fc6;--s4:#e8c547;--s5:#aab4bf}}\
        *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);\
        font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}\
        main{max-width:1120px;margin:0 auto;padding:40px 20px 60px}.brand{color:var(--accent);font-weight:600;margin:0;letter-spacing:.02em}\
        h1{font-size:30px;line-height:1.2;margin:4px 0 8px}h2{font-size:18px;margin:0 0 2px}.lead{color:var(--soft);margin:0 0 18px}\
        .sub{color:var(--soft);margin:0 0 12px;font-size:13.5px}.legend{list-style:none;padding:0;margin:0 0 20px;display:flex;flex-wrap:wrap;gap:8px 24px}\
        .legend span{color:var(--soft)}i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px}\
        section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 20px;margin:0 0 18px}\
        .tiles{display:flex;flex-wrap:wrap;gap:12px;margin:4px 0 12px}\
        .tile{flex:1 1 200px;border:1px solid var(--line);border-left:4px solid var(--soft);border-radius:10px;padding:12px 16px}\
        .tile b{display:block;font-size:30px;line-height:1.15;font-variant-numeric:tabular-nums}.tile span{font-weight:600}\
        .tile small{display:block;color:var(--soft)}.tile.good{border-left-color:var(--good)}.tile.good b{color:var(--good)}\
        .tile.bad{border-left-color:var(--bad)}.tile.bad b{color:var(--bad)}\
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:13.5px}\
        th,td{padding:7px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}\
        th:first-child,td:first-child,th:last-child,td.verdict{text-align:left}th{color:var(--soft);font-weight:500}\
        tbody tr:last-child td{border-bottom:0}.bar{text-align:center}.interval{width:130px;height:18px;display:block;margin:auto}\
        .range{fill:var(--soft);opacity:.45}.dot{fill:var(--soft)}.good .dot,.good .range{fill:var(--good)}.bad .dot,.bad .range{fill:var(--bad)}\
        .good .verdict{color:var(--good);font-weight:600}.bad .verdict{color:var(--bad);font-weight:600}.even .verdict{color:var(--soft)}\
        svg{width:100%;height:auto;display:block}.grid{stroke:var(--line)}.faint{opacity:.6}.axis{stroke:var(--soft)}\
        .tick{fill:var(--soft);font-size:12px}.label{fill:var(--soft);font-size:12.5px}.empty{color:var(--soft)}\
        .warning{border-left:4px solid var(--bad);background:var(--card);padding:9px 14px;border-radius:6px}\
        footer{color:var(--soft);font-size:13px}pre{white-space:pre-wrap;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
        """
}
