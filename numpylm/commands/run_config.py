"""RunConfig's old place."""

from numpylm.commands.kind import RunConfig, read_config, write_config  # noqa: F401
