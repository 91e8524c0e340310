"""Code of the conventions that `numpylm check` reads, written for the tests, a file each: all of it is right."""

from pathlib import Path

SOURCES = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "foreign").glob("*.py"))
}
