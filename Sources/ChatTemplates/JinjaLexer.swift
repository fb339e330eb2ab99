/// A piece of template source.
struct Token: Sendable {
    enum Kind: Sendable {
        case data, variableBegin, variableEnd, blockBegin, blockEnd, name, string, integer, float, symbol, end
    }

    let kind: Kind
    /// For strings: the value, escapes resolved.
    let text: String
    let line: Int

    /// How error messages call it.
    var label: String {
        switch kind {
        case .data: "template data"
        case .variableBegin: "begin of print statement"
        case .variableEnd: "end of print statement"
        case .blockBegin: "begin of statement block"
        case .blockEnd: "end of statement block"
        case .end: "end of template"
        default: text
        }
    }
}

/// Splits template source into tokens as Jinja 3.1 does with `trim_blocks` and `lstrip_blocks`: the newline after a
/// block or comment goes, and so does the white space before one that begins a line. `-` and `+` beside a delimiter
/// override both. One newline at the end of the source is dropped.
struct JinjaLexer {
    private let source: [UInt8]
    private let template: String
    private var position = 0
    private var line = 1
    /// Everything before has been counted in `line`.
    private var countedTo = 0
    private var tokens: [Token] = []
    /// Whether the last tag ended with a newline (or none came yet).
    private var lineStarting = true
    private var brackets: [UInt8] = []

    private enum Tag { case variable, block, comment }

    init(source: String, template: String) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.utf8.count)
        var previousWasReturn = false
        for byte in source.utf8 {
            if byte == 0x0D {
                bytes.append(0x0A)
            } else if byte != 0x0A || !previousWasReturn {
                bytes.append(byte)
            }
            previousWasReturn = byte == 0x0D
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        self.source = bytes
        self.template = template
    }

    /// - Throws: `TemplateError.syntax`.
    /// - Complexity: linear.
    mutating func tokenize() throws(TemplateError) -> [Token] {
        while position < source.count {
            guard let (start, tag) = nextTag() else {
                emit(.data, text(position..<source.count), line: currentLine(at: position))
                position = source.count
                break
            }
            try lexTag(tag, at: start)
        }
        emit(.end, "", line: currentLine(at: source.count))
        return tokens
    }

    // MARK: Between tags

    private func nextTag() -> (Int, Tag)? {
        var index = position
        while index + 1 < source.count {
            if source[index] == UInt8(ascii: "{") {
                switch source[index + 1] {
                case UInt8(ascii: "{"): return (index, .variable)
                case UInt8(ascii: "%"): return (index, .block)
                case UInt8(ascii: "#"): return (index, .comment)
                default: break
                }
            }
            index += 1
        }
        return nil
    }

    private mutating func lexTag(_ tag: Tag, at start: Int) throws(TemplateError) {
        let sign = start + 2 < source.count ? source[start + 2] : 0
        let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        emitData(position..<start, sign: hasSign ? sign : 0, isVariable: tag == .variable)
        let tagLine = currentLine(at: start)
        position = start + (hasSign ? 3 : 2)
        switch tag {
        case .comment:
            guard let end = find("#}", from: position) else {
                throw .syntax("Missing end of comment tag", at: TemplateLocation(template: template, line: tagLine))
            }
            closeTag(at: end, trimming: true)
        case .variable:
            emit(.variableBegin, "{{", line: tagLine)
            try lexExpression(closing: "}}", tag: .variable)
        case .block:
            if let contentStart = rawBlock(from: position) {
                position = contentStart
                lineStarting = source[contentStart - 1] == 0x0A
                try lexRaw(line: tagLine)
            } else {
                emit(.blockBegin, "{%", line: tagLine)
                try lexExpression(closing: "%}", tag: .block)
            }
        }
    }

    /// Emits the text before a tag, without the white space that the tag takes away.
    private mutating func emitData(_ range: Range<Int>, sign: UInt8, isVariable: Bool) {
        var end = range.upperBound
        if sign == UInt8(ascii: "-") {
            end = trimmedEnd(of: range)
        } else if sign != UInt8(ascii: "+"), !isVariable {
            let newline = source[range].lastIndex(of: 0x0A)
            let lineStart = newline.map { $0 + 1 } ?? range.lowerBound
            if newline != nil || lineStarting, trimmedEnd(of: lineStart..<range.upperBound) == lineStart {
                end = lineStart
            }
        }
        if end > range.lowerBound {
            emit(.data, text(range.lowerBound..<end), line: currentLine(at: range.lowerBound))
        }
    }

    /// Where the content of `{% raw %}` begins if this block is one.
    private func rawBlock(from start: Int) -> Int? {
        var index = skipSpace(from: start)
        guard matches("raw", at: index) else { return nil }
        index = skipSpace(from: index + 3)
        if matches("-%}", at: index) { return skipSpace(from: index + 3) }
        return matches("%}", at: index) ? index + 2 : nil
    }

    private mutating func lexRaw(line: Int) throws(TemplateError) {
        let start = position
        var search = start
        while let tag = find("{%", from: search) {
            search = tag + 2
            let sign = search < source.count ? source[search] : 0
            let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
            var index = skipSpace(from: hasSign ? search + 1 : search)
            guard matches("endraw", at: index) else { continue }
            index = skipSpace(from: index + 6)
            let isSigned = index < source.count && [UInt8(ascii: "-"), UInt8(ascii: "+")].contains(source[index])
            guard matches("%}", at: isSigned ? index + 1 : index) else { continue }
            emitData(start..<tag, sign: hasSign ? sign : 0, isVariable: false)
            closeTag(at: isSigned ? index + 1 : index, trimming: true)
            return
        }
        throw .syntax("Missing end of raw directive", at: TemplateLocation(template: template, line: line))
    }

    /// Steps over a two-byte closing delimiter and the white space it takes away.
    private mutating func closeTag(at end: Int, trimming: Bool) {
        let sign = end > position ? source[end - 1] : 0
        position = end + 2
        if sign == UInt8(ascii: "-") {
            position = skipSpace(from: position)
        } else if trimming, sign != UInt8(ascii: "+"), position < source.count, source[position] == 0x0A {
            position += 1
        }
        lineStarting = source[position - 1] == 0x0A
    }

    // MARK: Inside a tag

    private mutating func lexExpression(closing: String, tag: Tag) throws(TemplateError) {
        brackets = []
        while position < source.count {
            if brackets.isEmpty {
                let byte = source[position]
                let maySign = byte == UInt8(ascii: "-") || (tag == .block && byte == UInt8(ascii: "+"))
                if matches(closing, at: maySign ? position + 1 : position) {
                    emit(tag == .block ? .blockEnd : .variableEnd, closing, line: currentLine(at: position))
                    closeTag(at: maySign ? position + 1 : position, trimming: tag == .block)
                    return
                }
            }
            try lexToken()
        }
    }

    private mutating func lexToken() throws(TemplateError) {
        let start = position
        let byte = source[start]
        let afterSpace = skipSpace(from: start)
        if afterSpace > start {
            position = afterSpace
        } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
            try lexString(quote: byte)
        } else if isDigit(byte) {
            lexNumber()
        } else if isNameByte(byte) {
            while position < source.count, isNameByte(source[position]) { position += 1 }
            emit(.name, text(start..<position), line: currentLine(at: start))
        } else {
            try lexSymbol(byte)
        }
    }

    private static let longSymbols = ["//", "**", "==", "!=", ">=", "<="]

    private mutating func lexSymbol(_ byte: UInt8) throws(TemplateError) {
        let start = position
        if let symbol = Self.longSymbols.first(where: { matches($0, at: start) }) {
            position += 2
            emit(.symbol, symbol, line: currentLine(at: start))
            return
        }
        guard "+-/*%~[](){}><=.:|,;".utf8.contains(byte) else {
            throw error("unexpected char \(scalar(at: start).pythonRepr)", at: start)
        }
        switch byte {
        case UInt8(ascii: "("): brackets.append(UInt8(ascii: ")"))
        case UInt8(ascii: "["): brackets.append(UInt8(ascii: "]"))
        case UInt8(ascii: "{"): brackets.append(UInt8(ascii: "}"))
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
            let found = String(UnicodeScalar(byte))
            guard let expected = brackets.popLast() else { throw error("unexpected '\(found)'", at: start) }
            guard expected == byte else {
                throw error("unexpected '\(found)', expected '\(String(UnicodeScalar(expected)))'", at: start)
            }
        default: break
        }
        position += 1
        emit(.symbol, String(UnicodeScalar(byte)), line: currentLine(at: start))
    }

    private mutating func lexNumber() {
        let start = position
        let afterDot = start > 0 && source[start - 1] == UInt8(ascii: ".")
        func digits(from index: Int) -> Int {
            var end = index
            while end < source.count {
                let isSeparator =
                    source[end] == UInt8(ascii: "_") && end > index && end + 1 < source.count
                    && isDigit(source[end + 1])
                guard isDigit(source[end]) || isSeparator else { break }
                end += 1
            }
            return end
        }
        var end = digits(from: start)
        if !afterDot {
            var isFloat = false
            var fraction = end
            if end < source.count, source[end] == UInt8(ascii: ".") {
                fraction = digits(from: end + 1)
                if fraction > end + 1 { isFloat = true } else { fraction = end }
            }
            if fraction < source.count, source[fraction] | 0x20 == UInt8(ascii: "e") {
                let signed = fraction + 1 < source.count && "+-".utf8.contains(source[fraction + 1])
                let exponentStart = fraction + (signed ? 2 : 1)
                let exponent = digits(from: exponentStart)
                if exponent > exponentStart { (isFloat, fraction) = (true, exponent) }
            }
            if isFloat {
                position = fraction
                emit(.float, text(start..<fraction).filter { $0 != "_" }, line: currentLine(at: start))
                return
            }
        }
        if source[start] == UInt8(ascii: "0"), start + 2 < source.count,
            "xob".utf8.contains(source[start + 1] | 0x20)
        {
            end = start + 2
            while end < source.count, isNameByte(source[end]) { end += 1 }
        }
        position = end
        emit(.integer, text(start..<end).filter { $0 != "_" }, line: currentLine(at: start))
    }

    private mutating func lexString(quote: UInt8) throws(TemplateError) {
        let start = position
        var end = start + 1
        while end < source.count, source[end] != quote { end += source[end] == UInt8(ascii: "\\") ? 2 : 1 }
        guard end < source.count else {
            throw error("unexpected char \(scalar(at: start).pythonRepr): the string does not end", at: start)
        }
        let content = text((start + 1)..<end)
        let value: String
        do {
            value = try content.utf8.contains(UInt8(ascii: "\\")) ? StringEscapes.resolve(content) : content
        } catch {
            throw self.error(error.message, at: start)
        }
        position = end + 1
        emit(.string, value, line: currentLine(at: start))
    }

    // MARK: Bytes

    private mutating func emit(_ kind: Token.Kind, _ text: String, line: Int) {
        tokens.append(Token(kind: kind, text: text, line: line))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: source[range], as: UTF8.self) }

    private func matches(_ text: String, at index: Int) -> Bool {
        index >= 0 && index + text.utf8.count <= source.count
            && source[index..<(index + text.utf8.count)].elementsEqual(text.utf8)
    }

    private func find(_ text: String, from start: Int) -> Int? {
        guard let first = text.utf8.first, start < source.count else { return nil }
        for index in start..<source.count where source[index] == first && matches(text, at: index) { return index }
        return nil
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// Names may be of any script; what is not ASCII is taken as a letter unless it is white space.
    private func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private func scalar(at index: Int) -> String {
        String(text(index..<min(index + 4, source.count)).unicodeScalars.prefix(1))
    }

    private func skipSpace(from start: Int) -> Int {
        var index = start
        while index < source.count {
            if source[index] < 0x80 {
                guard Unicode.Scalar(source[index]).isPythonSpace else { break }
                index += 1
            } else {
                let next = scalar(at: index)
                guard next.unicodeScalars.allSatisfy(\.isPythonSpace) else { break }
                index += next.utf8.count
            }
        }
        return index
    }

    private func trimmedEnd(of range: Range<Int>) -> Int {
        range.lowerBound + text(range).stripped(leading: false).utf8.count
    }

    private mutating func currentLine(at index: Int) -> Int {
        while countedTo < index {
            if source[countedTo] == 0x0A { line += 1 }
            countedTo += 1
        }
        return line
    }

    private mutating func error(_ message: String, at index: Int) -> TemplateError {
        .syntax(message, at: TemplateLocation(template: template, line: currentLine(at: index)))
    }
}
