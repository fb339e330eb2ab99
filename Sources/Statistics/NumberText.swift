extension Double {
    /// With so many digits after the point; `-` for what is no number.
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
}
