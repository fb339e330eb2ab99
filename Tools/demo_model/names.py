"""Made-up names, numbers and words: a space far too large to memorise, split in two by a hash.

Every capitalised word is either a training word or a held-out word, decided by its CRC. Held-out documents are
written with held-out words only, so a right answer about them can only have been read in the document.
"""

import zlib
from random import Random

HELD_OUT_SHARE = 8
"""One word in so many is held out."""

FIRST_ONSETS = "b c d f g h j k l m n p r s t v w z br cr dr gr kr pr tr bl cl fl gl pl sl st sk sp th sh ch qu".split()
ONSETS = "b d f g h k l m n p r s t v z b d g k l m n r s t v br dr tr gr st sk th sh lm nd rk".split()
VOWELS = "a e i o u a e i o ai ea ia".split()
JOINTS = ("", "", "", "", "n", "r", "l", "s")
ENDINGS = ("", "", "", "n", "r", "s", "l", "m", "th", "d", "x", "nd", "rn", "st", "k", "t")

REAL_NAMES = """
Alice Bruno Carla David Elena Frank Grace Hugo Irene James Karin Lucas Maria Nadia Oscar Paula Quentin Rosa Simon
Teresa Ulrich Vera Walter Xenia Yusuf Zoe Anna Ben Clara Daniel Emma Felix Hannah Ivan Julia Kevin Laura Martin Nina
Otto Peter Rachel Sophie Thomas Victor William Smith Jones Taylor Brown Wilson Evans Walker Wright Robinson Thompson
White Hughes Edwards Green Hall Wood Harris Martin Jackson Clarke Lopez Garcia Rossi Weber Fischer Novak Kowalski Ivanov
Tanaka Suzuki Kim Lee Chen Wang Singh Patel Khan Ali Silva Santos Costa Larsen Hansen Berg Lindgren Dubois Moreau Laurent
Aurora Victoria Endeavour Discovery Phoenix Atlas Orion Polaris Neptune Mercury Titan Falcon Albatross Hermes Apollo
London Paris Berlin Madrid Rome Vienna Prague Lisbon Dublin Oslo Stockholm Helsinki Warsaw Athens Cairo Lagos Nairobi
Delhi Tokyo Osaka Seoul Boston Chicago Denver Dallas Austin Seattle Toronto Sydney Hamburg Munich Zurich Geneva Lyon
Marseille Naples Milan Turin Porto Seville Bristol Leeds York Oxford Cambridge
""".split()

FOREIGN_SYLLABLES = (
    "é ba lé no çon mar ü gen strö m ña ñe rø de skå ne ži vá č ek".split(),
    "ка ти ра но ва ле ми ск ов ин да ст".split(),
    "α λε ξαν δρο μα ρι να κο στα σ".split(),
    "山 川 田 中 村 木 林 小 大 島 京 東".split(),
)


def is_held_out(word: str) -> bool:
    return zlib.crc32(word.lower().encode()) % HELD_OUT_SHARE == 0


def _invented(random: Random) -> str:
    """Two or three syllables that can be said aloud: Velmora, Teren, Oskai."""
    count = random.choice((2, 2, 2, 3))
    word = random.choice(FIRST_ONSETS) if random.random() < 0.85 else ""
    for index in range(count):
        if index > 0:
            word += random.choice(JOINTS) + random.choice(ONSETS)
        word += random.choice(VOWELS)
    return (word + random.choice(ENDINGS)).capitalize()


def _candidate(random: Random, real: float, foreign: float) -> str:
    kind = random.random()
    if kind < real:
        return random.choice(REAL_NAMES)
    if kind < real + foreign:
        syllables = random.choice(FOREIGN_SYLLABLES)
        return "".join(random.choice(syllables) for _ in range(random.randint(2, 4))).capitalize()
    return _invented(random)


class Names:
    """A source of capitalised words of one side of the split, no word twice from one source."""

    def __init__(self, random: Random, held_out: bool, real: float = 0.1, foreign: float = 0.02):
        self.random = random
        self.held_out = held_out
        self.real = 0.0 if held_out else real
        self.foreign = 0.0 if held_out else foreign
        self.used: set[str] = set()

    def word(self) -> str:
        while True:
            word = _candidate(self.random, self.real, self.foreign)
            if word not in self.used and is_held_out(word) == self.held_out:
                self.used.add(word)
                return word

    def person(self) -> str:
        return self.word() if self.random.random() < 0.4 else f"{self.word()} {self.word()}"


def number(random: Random, digits: int) -> str:
    """A number of up to so many digits, without a leading zero."""
    count = random.randint(max(1, digits - 1), digits)
    return str(random.randint(10 ** (count - 1) + (count == 1), 10**count - 1))
