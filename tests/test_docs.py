"""The documentation against the tree: links, anchors, commands and flags."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest

from faceswap_gan import __main__ as cli

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "data" / "README.md"])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = ("http://", "https://", "mailto:")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _commands(page: Path) -> list[str]:
    """Lines of the page's shell blocks, without comments."""
    blocks = [body for kind, body in FENCE.findall(page.read_text(encoding="utf-8")) if kind == "sh"]
    lines = [line.split(" #")[0].strip() for body in blocks for line in body.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as GitHub spells them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_resolve(page):
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(OUTSIDE):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{_name(page)}: {link} leads nowhere"
        assert not anchor or anchor in _anchors(target), f"{_name(page)}: {link} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_parse(page):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in _commands(page):
        program, *words = shlex.split(command)
        if program == "make":
            assert set(words) <= targets, f"{_name(page)}: {command}"
        elif program == "faceswap-gan":
            assert callable(cli.parse_verb(words[0], words[1:])), command
        elif program == "python" and words[:1] == ["-m"] and words[1].startswith("faceswap_gan"):
            assert callable(cli.parse_verb(words[1].rpartition(".")[2], words[2:])), command


def test_commands_are_found():
    assert len([line for page in PAGES for line in _commands(page) if "faceswap" in line]) >= 15


@pytest.mark.parametrize("verb", cli.VERBS)
def test_each_verb_has_a_page_with_true_flags(verb):
    known = {flag for flag in _flags(cli._load(verb)) if flag not in ("--return", "--file")}
    named = _documented(verb)
    assert named <= known, f"docs/guide/{verb}.md names flags that {verb} has not: {sorted(named - known)}"
    # swap's page says of the flags that it hands on only which page explains them.
    explained = named if verb != "swap" else named | _documented("train") | _documented("convert")
    assert known <= explained, f"docs/guide/{verb}.md misses flags of {verb}: {sorted(known - explained)}"


def _documented(verb: str) -> set[str]:
    """Flags that a page's tables explain."""
    text = (ROOT / "docs" / "guide" / f"{verb}.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `--")]
    return {flag for row in rows for flag in re.findall(r"--[a-z-]+", row)}


def _flags(signature: object) -> Iterator[str]:
    """Flags of a function's parameters: their names, or those that annotations give; settings give their fields'."""
    for name, hint in get_type_hints(signature, include_extras=True).items():
        if is_dataclass(hint):
            yield from _flags(hint)
        else:
            given = [each.name for each in getattr(hint, "__metadata__", ()) if getattr(each, "name", None)]
            yield f"--{(given or [name])[0].replace('_', '-')}"


def test_index_leads_to_every_page():
    listed = set(LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert pages - {"index.md"} == {link for link in listed if link.endswith(".md")}
