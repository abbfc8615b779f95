"""`elman generate`."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

import elman
from elman.cli.main import run


def test_generate_writes_a_midi_file_and_its_picture(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "chorale.mid"
    assert run(["generate", str(trained_run), "--steps", "20", "--out", str(out)]) == 0
    picture = tmp_path / "chorale.png"
    assert capsys.readouterr().out.splitlines() == [str(out), str(picture)]
    notes = [m for m in mido.MidiFile(out) if m.type == "note_on" and m.velocity > 0]
    assert len(notes) > 10
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_seed_gives_the_same_piece_again_and_another_seed_another(
    trained_run: Path, tmp_path: Path
) -> None:
    pieces = []
    for name, seed in [("a", "1"), ("b", "1"), ("c", "2")]:
        out = tmp_path / f"{name}.mid"
        arguments = ["--steps", "20", "--seed", seed, "--out", str(out)]
        assert run(["generate", str(trained_run), *arguments]) == 0
        pieces.append(out.read_bytes())
    assert pieces[0] == pieces[1] != pieces[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--steps", "0"], "steps must be at least 1, got 0."),
        (["--temperature", "0"], "temperature must be a positive number, got 0.0."),
        (["--seed", "-1"], "seed must lie in 0"),
    ],
)
def test_what_cannot_be_composed_is_refused_and_nothing_written(
    trained_run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    out = tmp_path / "x.mid"
    assert run(["generate", str(trained_run), *arguments, "--out", str(out)]) == 2
    assert f"elman generate: {words}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_the_picture_takes_is_refused_before_the_piece_overwrites_it(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.png"
    assert run(["generate", str(trained_run), "--steps", "2", "--out", str(out)]) == 2
    assert f"{out} is where its picture goes; write --out {tmp_path / 'x.mid'}." in (
        capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


def test_text_goes_to_standard_output_or_to_a_file(
    song_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["generate", str(song_run), "--steps", "30", "--prime", "row"]
    assert run(arguments) == 0
    written = capsys.readouterr().out
    assert written == elman.load(song_run).generate(30, 1, prime="row") + "\n"
    assert len(written) == 31
    out = tmp_path / "song.txt"
    assert run([*arguments, "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    assert out.read_text(encoding="utf-8") == written


def test_what_was_never_learned_of_a_prompt_is_said_beside_the_text(
    song_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", str(song_run), "--steps", "5", "--prompt", "röw"]) == 0
    written, said = capsys.readouterr()
    assert len(written) == 6
    assert (
        said == "note: 1 of 3 characters to continue are not in the vocabulary, and are read as "
        "unknown.\n"
    )
    assert run(["generate", str(song_run), "--steps", "5", "--prompt", "row"]) == 0
    assert capsys.readouterr().err == ""


def test_a_story_is_trained_on_and_lines_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("story.txt").write_text("It was night.\n\nThe wind rose.\n" * 40, encoding="utf-8")
    changes = {"hidden_size": 24, "batch_size": 2, "chunk_length": 20, "learning_rate": 0.01}
    changes |= {"input_dropout": 0.0, "output_dropout": 0.0}
    small = [word for name, value in changes.items() for word in ("--set", f"{name}={value}")]
    arguments = ["train", "story.txt", "--target", "next", "--epochs", "9", "--out", "run"]
    assert run([*arguments, *small]) == 0
    said = capsys.readouterr().err
    assert "note: story.txt was read as one running text with line ends." in said
    assert "note: the text is split in its order" in said
    arguments = ["--prompt", "It was", "--temperature", "0.2", "--steps", "60"]
    assert run(["generate", "run", *arguments]) == 0
    assert "The wind rose.\nIt was night.\n\n" in capsys.readouterr().out


def test_a_model_that_answers_does_not_write(
    reviews_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", str(reviews_run)]) == 2
    assert "this model does not generate: its task is input: words" in capsys.readouterr().err


def test_music_goes_on_from_no_text(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "a.mid")
    assert run(["generate", str(trained_run), "--prime", "la", "--out", out]) == 2
    assert "--prompt is a text, and this model composes music" in capsys.readouterr().err
