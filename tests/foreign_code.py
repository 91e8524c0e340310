"""Code of the conventions that `numpylm check` reads, written for the tests, a file each: all of it is right."""

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


@pytest.fixture(scope="session")
def check(tmp_path_factory):
    """check(name, *change, **options): the Result for one of these files, or for another source, with one piece
    exchanged. A test may ask the same twice: the file is checked once."""
    path, results = tmp_path_factory.mktemp("foreign") / "mine.py", {}

    def check(name, *change, seed=7, **options):
        source = changed(SOURCES.get(name, name), *[change][: len(change)])
        asked = source, seed, str(options)
        if asked not in results:
            path.write_text(source, encoding="utf-8")
            results[asked] = check_here(path, seed, **options)
        return results[asked]

    return check
