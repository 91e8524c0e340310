"""The error of each numerical derivative against its step; notebook 4 uses the same file of the package."""

from numpylm.figures.step_size import draw  # noqa: F401
