"""The command line as a user meets it: help, version, usage errors, expected failures, quick answers."""

from __future__ import annotations

import errno
import subprocess
import sys
import time

import pytest

from faceswap_gan import __main__ as cli
from faceswap_gan import __version__
from faceswap_gan.errors import MediaError

HEAVY = ("tensorflow", "keras", "torch", "jax", "cv2", "av", "mtcnn", "scipy")
FLAGS = {
    "extract": {
        "--video",
        "--faces",
        "--every",
        "--size",
        "--max-faces",
        "--who",
        "--track",
        "--reference",
        "--max-yaw",
    },
    "tracks": {"--video", "--sheet", "--min-face"},
    "masks": {"--faces"},
    "train": {
        "--src",
        "--dst",
        "--model",
        "--from",
        "--preset",
        "--steps",
        "--minutes",
        "--batch",
        "--precision",
        "--perceptual",
    },
    "convert": {"--video", "--model", "--output", "--face", "--output-layout", "--color", "--coverage", "--parts"},
    "swap": {"--src-video", "--dst-video", "--output", "--workspace", "--minutes", "--steps", "--preset"},
    "demo": {"--out", "--minutes"},
    "mesh-swap": {"--src", "--dst", "--output", "--blend", "--color", "--output-layout", "--weights-dir"},
    "parts-augment": {"--src", "--dst", "--output", "--parts", "--onto", "--match", "--neighbours", "--landmarks"},
    "verify": {"--trusted"},
    "evaluate": {"--swapped", "--src", "--dst", "--recognizer", "--model", "--truth", "--report", "--weights-dir"},
}


def _replace_run(monkeypatch, error):
    def run(*, count: int = 1) -> None:
        """Fail as told.

        Args:
            count: How often.
        """
        raise error

    monkeypatch.setattr(cli, "_load", lambda name: run)


def test_no_verb_prints_help(capsys):
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    assert "usage: faceswap-gan <verb>" in shown
    assert all(f"\n  {verb} " in shown for verb in cli.VERBS)


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"faceswap-gan {__version__}\n"


def test_unknown_verb_is_wrong_usage(capsys):
    assert cli.main(["swop"]) == 2
    assert "expected a verb" in capsys.readouterr().err


@pytest.mark.parametrize("verb", cli.VERBS)
def test_help_of_each_verb_names_its_flags(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([verb, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert {flag for flag in FLAGS[verb] if f"{flag} " not in shown} == set()


def test_every_flag_is_explained(capsys):
    for verb in cli.VERBS:
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"])
        bare = [line for line in capsys.readouterr().out.splitlines() if _has_no_text(line)]
        assert not bare, f"{verb}: no help text: {bare}"


def _has_no_text(line: str) -> bool:
    """True for an option whose help column holds nothing, or its default alone."""
    words = line.strip("│ ").split("  ")
    texts = [word for word in words[1:] if word.strip()]
    is_bare = bool(texts) and texts[0].strip().startswith(("(default", "(required"))
    return words[0].startswith("--") and is_bare


@pytest.mark.parametrize("verb", cli.VERBS)
def test_wrong_flag_is_wrong_usage(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([verb, "--no-such-flag", "1"])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (["convert", "--video", "v", "--parts", "eyes", "ears"], "('eyes', 'eyebrows', 'nose', 'mouth')"),
        (["convert", "--video", "v", "--parts", "None"], "('eyes', 'eyebrows', 'nose', 'mouth')"),
        (["train", "--precision", "double"], "('float32', 'bfloat16', 'float16')"),
    ],
)
def test_a_wrong_choice_lists_the_right_ones(words, choices, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    assert f"Expected one of {choices}." in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_choices_reach_run():
    def bound(*words):
        return cli.parse_verb("convert", ["--video", "v", *words]).keywords["region"].parts

    assert bound("--parts", "mouth", "eyes") == ("mouth", "eyes")
    assert (bound(), bound("--parts")) == (None, ())
    train = cli.parse_verb("train", ["--precision", "float16"]).keywords
    assert (train["precision"], train["sampling"]) == ("float16", None)


@pytest.mark.parametrize("words", [["--video", ""], ["--video="], ["--faces", "f", "--video", ""]])
def test_an_empty_value_is_not_the_current_folder(words, capsys):
    assert cli.main(["extract", *words]) == 2
    assert capsys.readouterr().err.startswith("error: expected a value for --video, got an empty one")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MediaError("expected a video,\ngot a text file"), 1, "error: expected a video, got a text file\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out.mp4"), 1, "No space left on device): out.mp4"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "Permission denied): /x"),
        (MemoryError("no 9 GB"), 1, "out of memory (no 9 GB)"),
    ],
)
def test_failures_are_one_line(monkeypatch, capsys, error, code, words):
    _replace_run(monkeypatch, error)
    assert cli.main(["extract", "--count", "2"]) == code
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1


def test_a_bug_keeps_its_traceback(monkeypatch):
    _replace_run(monkeypatch, ZeroDivisionError("bug"))
    with pytest.raises(ZeroDivisionError):
        cli.main(["extract"])


def test_arguments_reach_run(monkeypatch):
    seen = {}

    def run(video: str, *, every: int = 1, name: str | None = None) -> None:
        """Remember."""
        seen.update(video=video, every=every, name=name)

    monkeypatch.setattr(cli, "_load", lambda name: run)
    assert cli.main(["extract", "--video", "v.mp4", "--every", "5"]) == 0
    assert seen == {"video": "v.mp4", "every": 5, "name": None}


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in cli.VERBS)], ids=" ".join)
def test_help_is_quick_and_loads_nothing_heavy(arguments):
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['faceswap-gan', *{arguments!r}]\n"
        "try:\n"
        "    runpy.run_module('faceswap_gan', run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code, stop.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 5  # under one second on an idle machine; tests run on busy ones


def test_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "faceswap_gan.extract", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert "--video" in done.stdout


def test_an_expected_failure_is_one_line_and_exit_code_1(tmp_path):
    empty = tmp_path / "nothing.mp4"
    empty.write_bytes(b"")
    words = [sys.executable, "-m", "faceswap_gan.extract", "--video", str(empty), "--faces", str(tmp_path / "f")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("error: expected")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (tmp_path / "f").exists()


def test_tensorflow_loads_without_a_word():
    script = (
        "from faceswap_gan import __main__ as cli\n"
        "cli._quiet_backend()\n"
        "from keras import ops\n"
        "ops.ones(1) + 1\n"
        "import sys; print('still here', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stderr == "still here\n"
