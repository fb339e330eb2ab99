import Grammar
import Tokenizers

/// Writes grammar expressions in which a model's marks are special tokens where its tokenizer has them as such.
struct MarkedText {
    enum Part {
        case text(String)
        /// A special token where the tokenizer has it as one, else text.
        case mark(String)
        case part(GrammarBuilder.Expression)
    }

    let tokenizer: Tokenizer

    func special(_ text: String) -> Int32? {
        tokenizer.id(ofToken: text).flatMap { tokenizer.isSpecial($0) ? $0 : nil }
    }

    func sequence(_ parts: [Part], _ builder: inout GrammarBuilder) -> GrammarBuilder.Expression {
        var expressions: [GrammarBuilder.Expression] = []
        for part in parts {
            switch part {
            case .text(let text): expressions.append(builder.text(text))
            case .mark(let text):
                expressions.append(special(text).map { builder.token($0) } ?? builder.text(text))
            case .part(let expression): expressions.append(expression)
            }
        }
        return builder.sequence(expressions)
    }
}
