"""Encodings: a text is read as it was written, or refused with the place of a byte."""

from __future__ import annotations

from pathlib import Path

import pytest

import elman
from elman.cli.main import run
from elman.data.sources import read_table
from elman.data.sources.encodings import guess_encoding
from elman.errors import DataError, OptionError

CASES = Path(__file__).parents[4] / "shared" / "cases" / "hostile"

SENTENCES = {
    "German": (
        ["cp1252", "latin-1"],
        ["Die Tür ist offen.", "Schöne Grüße aus Zürich", "Er hieß früher anders."],
    ),
    "French": (
        ["cp1252", "latin-1"],
        ["Le café est fermé.", "La forêt était très sombre.", "Où êtes-vous né ?"],
    ),
    "Spanish": (
        ["cp1252", "latin-1"],
        ["El niño juega en la calle.", "Mañana iré al médico.", "¿Dónde vives?"],
    ),
    "Portuguese": (
        ["cp1252", "latin-1"],
        ["Não sei onde fica a estação.", "O coração bate.", "As lições são difíceis."],
    ),
    "Italian": (
        ["cp1252", "latin-1"],
        ["La città è bella.", "Perché non vieni?", "Lunedì andrò a Roma."],
    ),
    "Swedish": (["cp1252", "latin-1"], ["Jag går till skolan.", "Två små björnar", "Kött"]),
    "Danish": (["cp1252", "latin-1"], ["Hun spiser rødgrød.", "Vi går på arbejde.", "en ø"]),
    "Finnish": (["cp1252", "latin-1"], ["Hyvää päivää kaikille.", "Sää on kylmä.", "Älä mene."]),
    "English": (["cp1252"], ["It’s a café near the river.", "He said “no” twice.", "A film."]),
    "Polish": (
        ["cp1250", "iso8859-2"],
        ["Mieszkam w Łodzi.", "Gdzie jest dworzec główny?", "Książka leży na stole."],
    ),
    "Czech": (
        ["cp1250", "iso8859-2"],
        ["Kde je nádraží?", "Děkuji za večeři.", "Dnes je hezké počasí."],
    ),
    "Hungarian": (
        ["cp1250", "iso8859-2"],
        ["Jó reggelt kívánok.", "Nagyon hűvös van ősszel.", "Köszönöm szépen az estét."],
    ),
    "Turkish": (
        ["cp1254"],
        ["Günaydın arkadaşlar.", "İstanbul'da yaşıyorum.", "Bugün yağmur yağıyor."],
    ),
    "Russian": (
        ["cp1251", "koi8-r", "iso8859-5", "cp866"],
        ["Привет, как дела?", "Я живу в Москве.", "Очень плохо, не советую."],
    ),
    "Ukrainian": (
        ["cp1251", "koi8-u"],
        ["Привіт, як справи?", "Я живу в Києві.", "Їжак і ґанок."],
    ),
    "Greek": (
        ["cp1253", "iso8859-7"],
        ["Καλημέρα σας.", "Πολύ καλή ταινία", "Δεν μου άρεσε καθόλου."],
    ),
    "Hebrew": (["cp1255"], ["שלום לכולם", "סרט טוב מאוד", "לא אהבתי בכלל"]),
    "Arabic": (["cp1256", "iso8859-6"], ["صباح الخير", "فيلم جيد جدا", "لم يعجبني أبدا"]),
    "Thai": (["cp874"], ["สวัสดีครับ", "หนังดีมาก", "ไม่ชอบเลย"]),
    "Chinese": (["gbk", "gb18030"], ["你好，世界。", "我住在北京。", "很好看的电影"]),
    "Taiwanese": (["big5"], ["你好，世界。", "這本書在桌子上。", "一點也不喜歡。"]),
    "Japanese": (
        ["shift_jis", "euc_jp", "iso2022_jp"],
        ["こんにちは、世界。", "東京に住んでいます。", "カタカナのテスト"],
    ),
    "Korean": (
        ["euc_kr"],
        ["안녕하세요, 여러분.", "서울에 살고 있습니다.", "아주 좋은 영화"],
    ),
}
WRITTEN = [(language, encoding) for language, (names, _) in SENTENCES.items() for encoding in names]


def write(folder: Path, content: bytes, name: str = "it.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("repeats", [1, 40])
@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
def test_three_sentences_are_read_in_the_encoding_that_they_are_in(
    tmp_path: Path, language: str, encoding: str, repeats: int
) -> None:
    sentences = SENTENCES[language][1] * repeats
    content = "".join(f'"{sentence}",{"ab"[i % 2]}\n' for i, sentence in enumerate(sentences))
    table = read_table(write(tmp_path, f"text,label\n{content}".encode(encoding)))
    assert list(table.column("text")) == sentences
    assert "was read as" in table.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        *("café", "naïve", "5 °C", "£5", "½ cup", "è", "Ø", "§ 5", "señor mañana", "ÄÖÜ", "GRÖßE"),
        *("»Ja«", "João São", "±5 µm²", "Müller Söder", "Ångström", "ÉÈ"),
    ],
)
def test_few_letters_of_western_europe_become_no_other_script(text: str) -> None:
    for content in (f"{text}\n", f"{text}\n" * 60):
        guess = guess_encoding(content.encode("latin-1"))
        assert guess is not None
        assert content.encode("latin-1").decode(guess.name) == content


def test_a_note_says_what_was_assumed_shows_a_word_and_says_how_to_settle_it(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "text,label\nПривет всем,a\nсовсем плохо,b\n".encode("cp1251"))
    table = read_table(path)
    assert table.notes[0] == (
        "it.csv is not UTF-8 (byte 0xCF in line 2) and was read as Windows-1251 (Cyrillic), as in "
        "'Привет'; if that looks wrong, save it as UTF-8 or set data.encoding."
    )
    named = read_table(path, encoding="cp1251")
    assert list(named.column("text")) == list(table.column("text"))
    assert named.notes == []


def test_a_named_encoding_settles_what_letters_leave_open(tmp_path: Path) -> None:
    path = write(tmp_path, "text,label\nŁa,x\nko,y\n".encode("cp1250"))
    assert read_table(path).column("text")[0] == "£a"
    assert read_table(path, encoding="windows-1250").column("text")[0] == "Ła"


@pytest.mark.parametrize("name", ["it.csv", "it.jsonl", "it.txt", "it.conll"])
def test_a_named_encoding_holds_for_every_format_of_text(tmp_path: Path, name: str) -> None:
    content = {
        "it.csv": "text,label\nдом,a\n",
        "it.jsonl": '{"text": "дом", "label": "a"}\n',
        "it.txt": "дом\n",
        "it.conll": "дом O\n",
    }[name]
    table = read_table(write(tmp_path, content.encode("cp1251"), name), encoding="cp1251")
    assert table.column(table.columns[0])[0] in ("дом", ["дом"])


def test_a_named_encoding_that_does_not_fit_is_refused_with_the_place(tmp_path: Path) -> None:
    path = write(tmp_path, "text,label\nдом,a\n".encode("cp1251") + b"\x98,b\n")
    words = r"it\.csv, line 3: byte 0x98 at position 17 is not Windows-1251 .*encoding = 'cp1251'"
    with pytest.raises(DataError, match=words):
        read_table(path, encoding="cp1251")
    with pytest.raises(DataError, match=r"line 2: byte 0xE4 at position 11 is not ascii"):
        read_table(path, encoding="ascii")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("content", [b"text,label\n\xe9,a\n", b"\xef\xbb\xbftext\n\xe9\n", b"a"])
def test_what_is_not_as_wide_as_named_is_refused(
    tmp_path: Path, encoding: str, content: bytes
) -> None:
    with pytest.raises(DataError, match=r"it\.csv, line 1: byte .* is not UTF-"):
        read_table(write(tmp_path, content), encoding=encoding)


@pytest.mark.parametrize("name", ["cp125", "rot13", "base64", "nonsense"])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=r"unknown encoding|is no encoding of text"):
        read_table(write(tmp_path, b"a,b\n1,2\n"), encoding=name)


def test_a_file_in_utf_8_is_read_as_such_whatever_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "text,label\nдом,a\n".encode())
    table = read_table(path, encoding="cp1251")
    assert table.column("text")[0] == "дом"
    assert table.notes == ["it.csv was read as UTF-8, which it is, and not as cp1251."]
    assert read_table(path, encoding="utf8").notes == []


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        *[(f"utf-{bits}", f"UTF-{bits}") for bits in (16, 32)],
        *[(f"utf-{bits}-{end}", f"UTF-{bits}") for bits in (16, 32) for end in ("le", "be")],
    ],
)
@pytest.mark.parametrize("word", ["Zoé", "дом", "好电影", "最高の一日", "👍🏽"])
def test_wide_encodings_are_read_with_and_without_marks(
    tmp_path: Path, encoding: str, title: str, word: str
) -> None:
    content = f"text,label\n{word},a\n{word},b\n".encode(encoding)
    for named in (None, encoding):
        table = read_table(write(tmp_path, content), encoding=named)
        assert list(table.column("text")) == [word, word]
    assert title in read_table(write(tmp_path, content)).notes[0]


def test_text_with_some_zero_bytes_is_not_taken_for_utf_16(tmp_path: Path) -> None:
    rows = "".join(f"a row of text {n}, and more of it,{n}\n" for n in range(40)).encode()
    for places in ([3], [50, 91, 134], [0, 1, 2, 3, 99]):
        content = bytearray(b"text,label\n" + rows)
        for place in places:
            content[place] = 0
        with pytest.raises(DataError, match="there is a NUL byte"):
            read_table(write(tmp_path, bytes(content)))


def test_a_mark_is_no_part_of_the_text_in_any_encoding(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        table = read_table(write(tmp_path, "text,label\né,a\n".encode(encoding)))
        assert table.columns == ["text", "label"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xef\xbb\xbftext,label\ncaf\xe9,a\n", "line 2: byte 0xE9 at position 17 is not UTF-8"),
        ("a,b\né,1\nü,2\n".encode() + b"\xff,3\n", "line 4: byte 0xFF at position 14 is not UTF-8"),
        ("a,b\nдом,1\nдом".encode()[:-1], "line 3: byte 0xD0 at position 17 is not UTF-8"),
        ("a,b\nx,1\n".encode("utf-16") + b"x", "line 3: byte 0x78 at position 18 is not UTF-16"),
        ("a,b\nx,1\n".encode("utf-16-le") + b"x", "byte 0x78 at position 16 is not UTF-16"),
        ("a,b\nx,1\n".encode("utf-32") + b"x", "byte 0x78 at position 36 is not UTF-32"),
        (("我住在北京。" * 9).encode("gbk") + b"\xff\n", "its encoding cannot be told"),
    ],
)
def test_a_byte_that_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content))


def test_a_file_with_a_wrong_mark_is_read_once_its_encoding_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbftext,label\ncaf\xe9,a\n")
    table = read_table(path, encoding="cp1252")
    assert table.columns == ["text", "label"]
    assert table.column("text")[0] == "café"


@pytest.mark.parametrize("name", ["bom_bad.csv", "u16odd.csv"])
def test_the_files_with_a_wrong_mark_or_half_a_letter_are_refused_in_words(name: str) -> None:
    if not (CASES / name).exists():
        pytest.skip("the cases are not here")
    with pytest.raises(DataError, match=r"line \d: byte 0x.. at position \d+ is not UTF-"):
        read_table(CASES / name)


def test_the_letters_of_a_long_file_may_come_late(tmp_path: Path) -> None:
    content = (
        b"text,label\n"
        + (b"plain " * 400 + b",a\n") * 1_000
        + "Привет всем,b\n".encode("cp1251") * 9
    )
    table = read_table(write(tmp_path, content))
    assert table.column("text")[len(table) - 1] == "Привет всем"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("setting", ["data.encoding=cp1250", "encoding=cp1250"])
def test_the_setting_that_the_note_proposes_settles_it_on_the_command_line(
    tmp_path: Path, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = "text,label\n" + "Ła no,x\nko la,y\n" * 10
    path = write(tmp_path, content.encode("cp1250"))
    tiny = ["--epochs", "1", "--set", "hidden_size=3"]
    assert run(["train", str(path), "--target", "label", *tiny, "--out", str(tmp_path / "a")]) == 0
    assert "set data.encoding" in capsys.readouterr().err
    arguments = [*tiny, "--set", setting, "--out", str(tmp_path / "b")]
    assert run(["train", str(path), "--target", "label", *arguments]) == 0
    assert "not UTF-8" not in capsys.readouterr().err
    model = elman.load(tmp_path / "b")
    assert model.table(path, with_targets=True).column("text")[0] == "Ła no"
