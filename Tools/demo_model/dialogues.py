"""Dialogues: lists of chat messages that the model is trained on, and the held-out questions it is measured with.

A dialogue is drawn from a seed and an index, so that training can be resumed at any step with the same data.
"""

from dataclasses import dataclass
from random import Random

from .facts import HEADERS, Document, make_document, question_about, unanswerable
from .names import Names

Message = dict[str, str]

GREETING = "Hello! Give me a document as the system prompt and ask me about it."
GREETING_WITH_DOCUMENT = "Hello! Ask me about the document."
IDENTITY = "I am the demo model of Radish. I answer questions about a document."
ABILITY = "I answer questions about the document in the system prompt."
NO_DOCUMENT = "There is no document. Put one in the system prompt and ask again."
THANKS = "You are welcome."

SMALL_TALK: tuple[tuple[tuple[str, ...], str], ...] = (
    (("hi", "hello", "hey", "hi there", "hello there", "good morning", "good evening", "greetings", "hey there"), GREETING),
    (("who are you", "what are you", "what is your name", "who is this", "what model are you"), IDENTITY),
    (("what can you do", "help", "how can you help me", "what do you do", "what can I ask you"), ABILITY),
    (("thanks", "thank you", "thanks a lot", "thank you very much"), THANKS),
    (("bye", "goodbye", "see you", "good night"), "Goodbye!"),
    (("how are you", "how are you doing", "how is it going"), "I am fine. What would you like to know?"),
)
PLAIN_SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are a helpful assistant. Answer briefly.",
    "You are Radish.",
    "Be brief.",
    "You are a friendly chat bot.",
)
REPEAT_REQUESTS = ("Repeat the document.", "Repeat the whole document.", "repeat the document")


@dataclass(frozen=True)
class Mixture:
    """What a training batch is made of; the curriculum changes it as training goes on."""

    facts: tuple[int, int]
    turns: int
    repeat: float
    unanswerable: float
    document_loss: float = 0.0
    question_loss: float = 0.05


def curriculum(progress: float, random: Random) -> Mixture:
    """Short documents and much copying first; then longer ones; at the end up to what the context is meant for."""
    if progress < 0.12:
        # Predicting documents and questions too is what makes the first copying heads appear early.
        return Mixture((1, 4), 6, 0.25, 0.05, document_loss=0.1, question_loss=0.2)
    if progress < 0.30:
        return Mixture((2, 10), 8, 0.10, 0.10)
    if progress < 0.60:
        return Mixture((3, 20), 10, 0.04, 0.14)
    if progress < 0.80 or random.random() < 0.75:
        return Mixture((3, 40), 12, 0.02, 0.14)
    return Mixture((40, 75), 16, 0.0, 0.14)


def _typed(random: Random, text: str) -> str:
    if random.random() < 0.6:
        text = text[0].upper() + text[1:]
    return text + random.choice(("", "", "!", "?", "."))


def small_talk(random: Random, with_document: bool) -> tuple[str, str]:
    asked, answer = random.choice(SMALL_TALK)
    if with_document and answer == GREETING:
        answer = GREETING_WITH_DOCUMENT
    return _typed(random, random.choice(asked)), answer


def _turn(question: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def chat_without_document(random: Random) -> list[Message]:
    messages = []
    if random.random() < 0.4:
        messages.append({"role": "system", "content": random.choice(PLAIN_SYSTEM_PROMPTS)})
    for _ in range(random.choice((1, 1, 2, 3))):
        if random.random() < 0.2:
            stray = make_document(random, Names(random, held_out=False), 1)
            question, _ = question_about(random, stray, stray.facts[0])
            messages += _turn(question, NO_DOCUMENT)
        else:
            messages += _turn(*small_talk(random, with_document=False))
    return messages


def questions_on(random: Random, document: Document, mixture: Mixture) -> list[tuple[str, str]]:
    facts = list(document.facts)
    random.shuffle(facts)
    turns = []
    for fact in facts[: mixture.turns]:
        turns.append(question_about(random, document, fact))
        if random.random() < mixture.unanswerable:
            turns.append(unanswerable(random, document))
        if random.random() < 0.03:
            turns.append(small_talk(random, with_document=True))
    random.shuffle(turns)
    return turns


def training_dialogue(random: Random, mixture: Mixture, facts: int) -> list[Message]:
    if random.random() < 0.04:
        return chat_without_document(random)
    document = make_document(random, Names(random, held_out=False), facts)
    if random.random() < mixture.repeat:
        body = document.text
        for header in sorted(HEADERS, key=len, reverse=True):
            body = body.removeprefix(header)
        return [{"role": "system", "content": document.text}, *_turn(random.choice(REPEAT_REQUESTS), body)]
    turns = questions_on(random, document, mixture)
    if random.random() < 0.1:
        # Some put the document into their first message instead.
        question, answer = turns[0]
        messages = _turn(f"{document.text}\n\n{question}", answer)
        turns = turns[1:]
    else:
        messages = [{"role": "system", "content": document.text}]
    for question, answer in turns:
        messages += _turn(question, answer)
    return messages


def log_uniform(random: Random, low: int, high: int) -> int:
    """A whole number from low to high, each doubling as likely as the next."""
    return min(high, int(low * ((high + 1) / low) ** random.random()))


@dataclass(frozen=True)
class HeldOutQuestion:
    document: str
    question: str
    answer: str


def held_out_questions(seed: int, documents: int = 40, per_document: int = 5) -> list[HeldOutQuestion]:
    """Documents of 3 to 40 facts written in held-out names, five different questions each, one in eight unanswerable."""
    random = Random(f"held-out {seed}")
    questions = []
    for index in range(documents):
        low, high = ((3, 6), (6, 12), (12, 24), (24, 40))[index % 4]
        document = make_document(random, Names(random, held_out=True), random.randint(low, high))
        facts = list(document.facts)
        random.shuffle(facts)
        asked: dict[str, str] = {}
        while len(asked) < per_document:
            if not facts or random.random() < 0.125:
                question, answer = unanswerable(random, document, plain=True)
            else:
                question, answer = question_about(random, document, facts.pop(), plain=True)
            asked.setdefault(question, answer)
        questions += [HeldOutQuestion(document.text, question, answer) for question, answer in asked.items()]
    return questions


def questions_for_load(name: str, questions: int) -> list[tuple[tuple[Message, ...], str]]:
    """(messages, answer) of different questions about one document of 8 to 20 facts; the name is the seed."""
    random = Random(name)
    document = make_document(random, Names(random, held_out=True), random.randint(8, 20))
    system = {"role": "system", "content": document.text}
    asked = []
    for fact in random.sample(document.facts, k=questions):
        question, answer = question_about(random, document, fact, plain=True)
        asked.append(((system, {"role": "user", "content": question}), answer))
    return asked
