"""python -m numpylm step --html FILE: the same pass as a page for a browser."""

from pathlib import Path

from numpylm.commands.run_folder import RunError
from numpylm.stepping.html_page import page, write_page

DEFAULT_TEXT = "she sells sea shells"  # long enough to see a gradient vanish
WITHOUT_EFFECT = ("attention", "pdb", "forward", "backward")


def check_page(options):
    """Set the page's own default text. Raises RunError unless a new .html file can be written, and ValueError for an
    option that a page does not have."""
    for name in WITHOUT_EFFECT:
        if getattr(options, name):
            raise ValueError(f"--{name} and --html exclude each other: a page shows one cell, in both directions")
    target = Path(options.html)
    if target.suffix not in (".html", ".htm"):
        raise RunError(f"{target} must end in .html")
    if target.exists():
        raise RunError(f"{target} exists already; name a new file")
    if not target.parent.is_dir():
        raise RunError(f"{target} cannot be written: there is no folder {target.parent}")
    if options.text is None and not options.trained:
        options.text = DEFAULT_TEXT


def print_page(options, model, tokens, names, layer, origin):
    """Write the page, and say where it is; the exit status."""
    text = page(model, tokens, names, layer, origin, options.at)
    write_page(options.html, text)
    print(f"wrote {options.html}, {len(text.encode()) / 1000:.0f} kB: open it in a browser")
    if model.sizes.num_layers > 1:
        print(f"it shows layer {layer} of 0..{model.sizes.num_layers - 1}; --layer shows another")
    return 0
