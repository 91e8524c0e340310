"""config.json: every choice of a run, checked when it is read."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpylm.commands.kind import find_kind
from numpylm.commands.run_folder import RunError, read_json, write_json
from numpylm.data.schema import check, fields_of


@dataclass(frozen=True)
class RunConfig:
    """Every choice of a run: the kind of task, and the kind's own Model, Settings and Data. data_sha256 is the data's
    fingerprint when the run began."""

    task: str
    model: Any
    settings: Any
    data: Any
    data_sha256: str = ""


def write_config(folder, config):
    """Writes a RunConfig as config.json."""
    write_json(Path(folder) / "config.json", asdict(config))


def read_config(folder):
    """The RunConfig of a folder. Raises RunError if there is none, or it is damaged."""
    path = Path(folder) / "config.json"
    read = read_json(path)
    try:
        kind = find_kind(read.get("task") if type(read) is dict else None)
        classes = {"model": kind.Model, "settings": kind.Settings, "data": kind.Data}
        check(
            "the configuration", read, fields_of(RunConfig, **{name: fields_of(cls) for name, cls in classes.items()})
        )
        return RunConfig(**read | {name: from_json(cls, read[name]) for name, cls in classes.items()})
    except (ValueError, TypeError, RunError) as error:
        raise RunError(f"{path} is damaged, or another version of numpylm wrote it: {error}") from None


def from_json(cls, read):
    """A dataclass of the fields that JSON held; its lists become tuples."""
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in read.items()})
