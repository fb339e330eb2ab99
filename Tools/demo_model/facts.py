"""Facts: what documents are made of. A relation says how it is stated, how it is asked for and what its values are.

In every statement the subject comes before the value. `{s}` is the subject's name, `{v}` the value; the answer to a
question is the value and a full stop, word for word as the document has it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .names import Names, number

NOT_SAID = "The document does not say."

COLOURS = [
    f"{shade}{colour}"
    for shade in ("", "", "dark ", "light ", "pale ", "bright ")
    for colour in "red blue green yellow white black grey brown orange purple pink silver golden".split()
]
GOODS = """
salt tea coffee wool timber copper silk wine olives rice sugar cotton glass paper honey iron spices wheat coal marble
apples oranges leather amber rope candles barley cheese oil soap bricks figs pepper tin clay pearls linen nuts
""".split()
GOODS = GOODS + [f"{a} and {b}" for a in GOODS[:12] for b in GOODS[12:24]]
JOBS = """
baker teacher doctor sailor painter farmer miller carpenter judge pilot gardener writer singer tailor weaver plumber
dentist librarian fisherman photographer chemist potter banker cook driver clerk guard lawyer nurse smith
""".split()
ANIMALS = """
dog cat horse parrot goat rabbit turtle pony hamster ferret snake canary donkey sheep goose hen lizard frog mouse pig
""".split()
DISHES = [
    f"{how} {what}"
    for how in "roast fried smoked baked grilled boiled pickled stuffed cold spicy".split()
    for what in "duck fish beans cabbage lamb mushrooms trout potatoes eggs chicken pumpkin cheese noodles".split()
]
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


@dataclass(frozen=True)
class Relation:
    statements: tuple[str, ...]
    questions: tuple[str, ...]
    value: Callable[[Random, Names], str]


def _one_of(words: list[str]) -> Callable[[Random, Names], str]:
    return lambda random, names: random.choice(words)


def _count(digits: int, unit: str = "") -> Callable[[Random, Names], str]:
    return lambda random, names: number(random, digits) + unit


def _person(random: Random, names: Names) -> str:
    return names.person()


def _word(random: Random, names: Names) -> str:
    return names.word()


def _year(random: Random, names: Names) -> str:
    return str(random.randint(1100, 2029))


def _date(random: Random, names: Names) -> str:
    return f"{random.randint(1, 28)} {random.choice(MONTHS)}"


def _hour(random: Random, names: Names) -> str:
    return f"{random.randint(1, 23)}:{random.choice(('00', '15', '30', '45'))}"


def _code(random: Random, names: Names) -> str:
    letters = "".join(random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(2))
    return f"{letters}-{random.randint(100, 9999)}"


def _phone(random: Random, names: Names) -> str:
    return f"{random.randint(200, 999)}-{random.randint(1000, 9999)}"


def _relation(statements: str, questions: str, value: Callable[[Random, Names], str]) -> Relation:
    return Relation(tuple(statements.split("|")), tuple(questions.split("|")), value)


KINDS: dict[str, tuple[Relation, ...]] = {
    "ship": (
        _relation(
            "The captain of the ship {s} is {v}.|The ship {s} has a captain named {v}.",
            "Who is the captain of the ship {s}?|Who is the captain of {s}?|What is the name of the captain of {s}?",
            _person,
        ),
        _relation(
            "The ship {s} is {v} long.|The length of the ship {s} is {v}.",
            "How long is the ship {s}?|What is the length of {s}?|How long is {s}?",
            _count(3, " metres"),
        ),
        _relation(
            "The home port of the ship {s} is {v}.|The ship {s} has its home port in {v}.",
            "What is the home port of the ship {s}?|What is the home port of {s}?|Where is the home port of {s}?",
            _word,
        ),
        _relation(
            "The ship {s} carries {v}.|The cargo of the ship {s} is {v}.",
            "What does the ship {s} carry?|What is the cargo of {s}?|What cargo does {s} carry?",
            _one_of(GOODS),
        ),
        _relation(
            "The hull of the ship {s} is {v}.|The ship {s} has a hull painted {v}.",
            "What colour is the hull of the ship {s}?|What is the colour of the hull of {s}?",
            _one_of(COLOURS),
        ),
    ),
    "city": (
        _relation(
            "The mayor of the city {s} is {v}.|The city {s} has a mayor named {v}.",
            "Who is the mayor of the city {s}?|Who is the mayor of {s}?|What is the name of the mayor of {s}?",
            _person,
        ),
        _relation(
            "The population of the city {s} is {v}.|The city {s} has a population of {v}.",
            "What is the population of the city {s}?|What is the population of {s}?|How many people live in {s}?",
            _count(6),
        ),
        _relation(
            "The city {s} lies on the river {v}.|The river of the city {s} is the {v}.",
            "On which river does the city {s} lie?|Which river flows through {s}?|What is the river of {s}?",
            _word,
        ),
        _relation(
            "The city {s} was founded in {v}.|The founding year of the city {s} is {v}.",
            "When was the city {s} founded?|In which year was {s} founded?|What is the founding year of {s}?",
            _year,
        ),
        _relation(
            "The city {s} is famous for its {v}.|The best known product of the city {s} is {v}.",
            "What is the city {s} famous for?|What is {s} famous for?|What is the best known product of {s}?",
            _one_of(GOODS),
        ),
    ),
    "company": (
        _relation(
            "The director of the company {s} is {v}.|The company {s} has a director named {v}.",
            "Who is the director of the company {s}?|Who is the director of {s}?|Who directs {s}?",
            _person,
        ),
        _relation(
            "The company {s} sells {v}.|The main product of the company {s} is {v}.",
            "What does the company {s} sell?|What does {s} sell?|What is the main product of {s}?",
            _one_of(GOODS),
        ),
        _relation(
            "The company {s} has its main office in {v}.|The main office of the company {s} is in {v}.",
            "Where is the main office of the company {s}?|Where is the main office of {s}?",
            _word,
        ),
        _relation(
            "The company {s} employs {v} people.|The number of employees of the company {s} is {v}.",
            "How many people does the company {s} employ?|How many employees does {s} have?",
            _count(4),
        ),
        _relation(
            "The phone number of the company {s} is {v}.|The company {s} can be called at {v}.",
            "What is the phone number of the company {s}?|What is the phone number of {s}?",
            _phone,
        ),
    ),
    "person": (
        _relation(
            "The job of {s} is {v}.|{s} works as a {v}.",
            "What is the job of {s}?|What does {s} work as?|What is the profession of {s}?",
            _one_of(JOBS),
        ),
        _relation(
            "The home town of {s} is {v}.|{s} lives in {v}.",
            "Where does {s} live?|What is the home town of {s}?|In which town does {s} live?",
            _word,
        ),
        _relation(
            "The age of {s} is {v}.|{s} is {v} years old.",
            "How old is {s}?|What is the age of {s}?",
            _count(2),
        ),
        _relation(
            "The birthday of {s} is {v}.|{s} was born on {v}.",
            "When is the birthday of {s}?|When was {s} born?|What is the birthday of {s}?",
            _date,
        ),
        _relation(
            "The favourite colour of {s} is {v}.|{s} likes the colour {v}.",
            "What is the favourite colour of {s}?|Which colour does {s} like?",
            _one_of(COLOURS),
        ),
        _relation(
            "The pet of {s} is a {v}.|{s} has a {v}.",
            "What is the pet of {s}?|What pet does {s} have?|Which animal does {s} have?",
            _one_of(ANIMALS),
        ),
    ),
    "book": (
        _relation(
            "The author of the book {s} is {v}.|The book {s} was written by {v}.",
            "Who is the author of the book {s}?|Who wrote the book {s}?|Who wrote {s}?",
            _person,
        ),
        _relation(
            "The book {s} has {v} pages.|The number of pages of the book {s} is {v}.",
            "How many pages does the book {s} have?|How many pages does {s} have?|What is the number of pages of {s}?",
            _count(3),
        ),
        _relation(
            "The book {s} was printed in {v}.|The printing year of the book {s} is {v}.",
            "When was the book {s} printed?|In which year was {s} printed?|What is the printing year of {s}?",
            _year,
        ),
        _relation(
            "The publisher of the book {s} is {v}.|The book {s} was published by {v}.",
            "Who is the publisher of the book {s}?|Who published the book {s}?|Who published {s}?",
            _word,
        ),
    ),
    "machine": (
        _relation(
            "The serial number of the machine {s} is {v}.|The machine {s} has the serial number {v}.",
            "What is the serial number of the machine {s}?|What is the serial number of {s}?",
            _code,
        ),
        _relation(
            "The weight of the machine {s} is {v}.|The machine {s} has a weight of {v}.",
            "What is the weight of the machine {s}?|How heavy is the machine {s}?|How heavy is {s}?",
            _count(4, " kg"),
        ),
        _relation(
            "The maker of the machine {s} is {v}.|The machine {s} was made by {v}.",
            "Who is the maker of the machine {s}?|Who made the machine {s}?|Who made {s}?",
            _word,
        ),
        _relation(
            "The colour of the machine {s} is {v}.|The machine {s} is painted {v}.",
            "What colour is the machine {s}?|What is the colour of {s}?",
            _one_of(COLOURS),
        ),
    ),
    "mountain": (
        _relation(
            "The height of the mountain {s} is {v}.|The mountain {s} has a height of {v}.",
            "How high is the mountain {s}?|What is the height of {s}?|How high is {s}?",
            _count(4, " metres"),
        ),
        _relation(
            "The mountain {s} was first climbed by {v}.|The first climber of the mountain {s} was {v}.",
            "Who first climbed the mountain {s}?|Who was the first climber of {s}?|Who climbed {s} first?",
            _person,
        ),
        _relation(
            "The mountain {s} lies in the region {v}.|The region of the mountain {s} is {v}.",
            "In which region does the mountain {s} lie?|In which region is {s}?|What is the region of {s}?",
            _word,
        ),
    ),
    "restaurant": (
        _relation(
            "The cook of the restaurant {s} is {v}.|The restaurant {s} has a cook named {v}.",
            "Who is the cook of the restaurant {s}?|Who is the cook of {s}?|Who cooks at {s}?",
            _person,
        ),
        _relation(
            "The best dish of the restaurant {s} is {v}.|The restaurant {s} is known for {v}.",
            "What is the best dish of the restaurant {s}?|What is the restaurant {s} known for?|What is the best dish of {s}?",
            _one_of(DISHES),
        ),
        _relation(
            "The restaurant {s} opens at {v}.|The opening time of the restaurant {s} is {v}.",
            "When does the restaurant {s} open?|When does {s} open?|What is the opening time of {s}?",
            _hour,
        ),
        _relation(
            "The restaurant {s} is closed on {v}.|The closing day of the restaurant {s} is {v}.",
            "On which day is the restaurant {s} closed?|When is {s} closed?|What is the closing day of {s}?",
            _one_of(WEEKDAYS),
        ),
    ),
}
"""Kind of subject to its relations. A person is called by name alone, everything else also by its kind."""


@dataclass(frozen=True)
class Fact:
    kind: str
    relation: int
    subject: str
    value: str
    text: str


@dataclass(frozen=True)
class Document:
    """Some facts in some order, and as one text."""

    facts: tuple[Fact, ...]
    text: str
    names: Names


HEADERS = (
    "",
    "",
    "Document:\n",
    "Answer from this document.\n",
    "You answer questions about this document.\n\n",
    "Use only the following facts.\n\n",
)


def make_document(random: Random, names: Names, count: int) -> Document:
    """`count` facts about enough subjects of one to three kinds that most relations occur more than once."""
    kinds = random.sample(sorted(KINDS), k=min(random.choice((1, 1, 2, 2, 3)), max(1, count // 2)))
    pairs: list[tuple[str, int, str]] = []
    while len(pairs) < count:
        kind = random.choice(kinds)
        subject = names.person() if kind == "person" else names.word()
        relations = range(len(KINDS[kind]))
        chosen = random.sample(relations, k=min(random.randint(1, len(relations)), count - len(pairs)))
        pairs += [(kind, relation, subject) for relation in chosen]
    if random.random() < 0.5:
        random.shuffle(pairs)
    style = random.choice((0, 1, None))
    facts = []
    for kind, index, subject in pairs:
        relation = KINDS[kind][index]
        value = relation.value(random, names)
        statement = random.choice(relation.statements) if style is None else relation.statements[style]
        facts.append(Fact(kind, index, subject, value, statement.format(s=subject, v=value)))
    separator = random.choice((" ", "\n", "\n", "\n- "))
    body = separator.join(fact.text for fact in facts)
    if separator == "\n- ":
        body = "- " + body
    return Document(tuple(facts), random.choice(HEADERS) + body, names)


def ask(random: Random, relation: Relation, subject: str, plain: bool) -> str:
    """One of the relation's questions; unless `plain`, sometimes typed as people type."""
    question = random.choice(relation.questions).format(s=subject)
    if plain or random.random() < 0.85:
        return question
    if random.random() < 0.5:
        question = question.removesuffix("?")
    if random.random() < 0.5:
        question = question[0].lower() + question[1:]
    return question


def question_about(random: Random, document: Document, fact: Fact, plain: bool = False) -> tuple[str, str]:
    """A question that the fact answers, and the answer."""
    return ask(random, KINDS[fact.kind][fact.relation], fact.subject, plain), fact.value + "."


def unanswerable(random: Random, document: Document, plain: bool = False) -> tuple[str, str]:
    """A question that the document leaves open: a stranger, or a known subject's missing relation."""
    fact = random.choice(document.facts)
    relations = KINDS[fact.kind]
    said = {f.relation for f in document.facts if f.subject == fact.subject}
    missing = [index for index in range(len(relations)) if index not in said]
    if missing and random.random() < 0.5:
        return ask(random, relations[random.choice(missing)], fact.subject, plain), NOT_SAID
    stranger = document.names.person() if fact.kind == "person" else document.names.word()
    return ask(random, relations[fact.relation], stranger, plain), NOT_SAID
