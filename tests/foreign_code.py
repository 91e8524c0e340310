"""Code of the conventions that `numpylm check` reads, written for the tests, a file each: all of it is right."""

from functools import partial
from pathlib import Path

import pytest
from student_files import check_here

from numpylm.tutor.report import report

FOLDER = Path(__file__).parent / "foreign"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}


def changed(source, *changes):
    """A source with some pieces exchanged."""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


def assert_read(check, name, *changes):
    """Fails unless one of these files, so changed, is read and all of it right."""
    result = check(changed(SOURCES[name], *changes))
    assert result.ok and not result.unchecked, report(result)


def check_changed(folder, name, *change, **options):
    """The Result for one of these files, or for another source, with one piece exchanged."""
    path = folder / "mine.py"
    path.write_text(changed(SOURCES.get(name, name), *[change][: len(change)]), encoding="utf-8")
    return check_here(path, **({"seed": 7} | options))


@pytest.fixture
def check(tmp_path):
    """check_changed, in a folder of its own."""
    return partial(check_changed, tmp_path)
