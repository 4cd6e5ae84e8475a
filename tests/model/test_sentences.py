"""Sentence ends and words in many scripts."""

from itertools import pairwise

import pytest

from hf_spo.model.sentences import inside_words, sentence_ends


def sentences(text):
    borders = [0, *sentence_ends(text), len(text)]
    return [part for part in (text[a:b].strip() for a, b in pairwise(borders)) if part]


@pytest.mark.parametrize(
    "parts",
    [
        ["《远山的灯》由林小川执导。", "他出生于1970年！", "是吗？"],
        ["他说：“走吧。”", "于是他们走了……", "天黑了"],
        ["彼は東京で生まれた｡", "作家である。"],
        ["She was born in Rome.", "He directed “Blue Harbour.”", "Did he?", "Yes!"],
        ["It was founded in 1998.", "The price is 3.5 euros.", "See www.a.org/?q=1 for more."],
        ["Sie wurde in Köln geboren.", "Er lebt in Wien."],
        ["Elle est née à Paris.", "Il a écrit « Le Port ».", "Vraiment ?", "Oui !"],
        ["¿Nació en Lima?", "Sí, en 1970.", "¡Qué bien!"],
        ["Она родилась в Москве.", "Он написал роман."],
        ["राम का जन्म दिल्ली में हुआ था।", "सीता ने यह पुस्तक लिखी है।"],
        ["وہ لاہور میں پیدا ہوئے۔", "انہوں نے کتاب لکھی۔"],
        ["أين ولد؟", "ولد في القاهرة."],
        ["Նա ծնվել է Երևանում։", "Նա գրող է։"],
        ["እሱ በአዲስ አበባ ተወለደ።", "ጸሐፊ ነው።"],
        ["Mona was born in Rome .", "She wrote a book ."],
        ["mona was born in rome.", "she wrote a book."],
    ],
    ids=lambda parts: parts[0][:12],
)
@pytest.mark.parametrize("between", [" ", "\n"])
def test_sentences_end(parts, between):
    assert sentences(between.join(parts)) == parts


@pytest.mark.parametrize(
    "sentence",
    [
        "J. R. R. Tolkien was born in Bloemfontein and George W. Bush was born in New Haven.",
        "The company was founded by Dr. Alan Smith of Acme Inc. in St. Louis, in the U.S. territory.",
        "He wrote to Mr. Smith, Mrs. Jones et al. Their answer came late.",
        "Es gibt z. B. Äpfel, d. h. Obst, u. a. Birnen.",
        "Es gibt z.B. Obst am 3. Oktober in der Hauptstr. Nummer 5.",
        "M. Dupont et Mme. Durand sont venus.",
        "La Sra. Gómez vive en EE. UU. desde 1990.",
        "В 1990 г. он жил на ул. Ленина и т. д. до войны.",
        "Mieszka np. w Krakowie przy ul. Długiej.",
        "The book Yahoo! was written ... and then sold.",
        "a long line that a mail program\nhas wrapped, and that goes\r\non here",
        "see e.g. Smith or i.e. Jones",
    ],
)
def test_sentences_go_on(sentence):
    assert sentences(sentence) == [sentence]


@pytest.mark.parametrize("blank", ["\n\n", "\r\n\r\n", "\n \t\n", "\n\n\n", "\u2029"])
def test_blank_lines_end_paragraphs(blank):
    assert sentences(f"Title{blank}Text") == ["Title", "Text"]


def test_ends_are_those_of_the_stretch():
    text = "甲。乙。丙。丁"
    assert list(sentence_ends(text)) == [2, 4, 6]
    assert list(sentence_ends(text, 2, 5)) == [4]


@pytest.mark.parametrize(
    "text",
    [
        "Александра Кузнецова родилась",
        "राम कुमार का जन्म दिल्ली",
        "محمد ولد في القاهرة",
        "서울에서 태어난 사람",
        "isn't it O’Neill 's",
        "naïve cafe\u0301 über",
    ],
)
def test_words_are_whole(text):
    inside = inside_words(text)
    parts, begin = [], 0
    for position in range(1, len(text) + 1):
        if not inside[position]:
            parts.append(text[begin:position])
            begin = position
    assert [part for part in parts if not part.isspace() and part != "'"] == text.replace("'s", "s").split() or (
        "'s" in text and [part for part in parts if part.strip(" '")] == ["isn't", "it", "O’Neill", "s"]
    )


def test_between_ideographs_any_place_will_do():
    assert not any(inside_words("远山的灯カナ"))
    assert inside_words("か\u3099な") == [False, True, False, False]
