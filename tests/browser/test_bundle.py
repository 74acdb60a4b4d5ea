"""The committed bundle is that of the sources, as far as can be told without Node; `static/bundle.mjs` rebuilds it."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
# What the first page needs before it can be drawn: compressed as on the way, and each file a request.
FIRST_LOAD = 130_000
MOST_FILES = 8
SOURCES = ("index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "vite.config.ts")


def source_files() -> list[str]:
    found: list[Path] = []
    for name in SOURCES:
        path = STATIC / name
        found += [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    names = sorted(file.relative_to(STATIC).as_posix() for file in found)
    return [name for name in names if not re.search(r"\.test\.tsx?$", name)]


def test_the_bundle_is_sealed_with_the_hash_of_its_sources() -> None:
    lines = (f"{hashlib.sha256((STATIC / name).read_bytes()).hexdigest()}  {name}\n" for name in source_files())
    fresh = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert (STATIC / "dist" / ".source-hash").read_text() == f"{fresh}\n", "run `make dashboard`"


def test_the_page_needs_no_inline_script_or_style() -> None:
    page = (STATIC / "dist" / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert "style=" not in page


def test_every_file_that_the_page_names_is_in_the_bundle() -> None:
    page = (STATIC / "dist" / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/([^"]+)"', page)
    assert named
    assert [name for name in named if not (STATIC / "dist" / name).is_file()] == []


def first_load() -> list[Path]:
    """The index, and every script and style that it names."""
    index = STATIC / "dist" / "index.html"
    named = re.findall(r'(?:src|href)="/([^"]+\.(?:js|css))"', index.read_text())
    return [index, *(STATIC / "dist" / name for name in named)]


def test_the_first_load_is_small_and_of_few_files() -> None:
    files = first_load()
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 6)) for file in files}
    assert sum(sizes.values()) <= FIRST_LOAD, sizes
    assert len(files) <= MOST_FILES, sizes


def test_a_page_that_is_seldom_opened_is_a_file_of_its_own() -> None:
    first = "".join(file.read_text() for file in first_load())
    later = [file for file in (STATIC / "dist" / "assets").glob("*.js") if file not in first_load()]
    # Words that only the page of a run, and only that of the settings, says.
    for word in ("Where the time went", "Log out"):
        assert word not in first, word
        assert any(word in file.read_text() for file in later), word
