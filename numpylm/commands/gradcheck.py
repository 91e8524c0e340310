"""The gradcheck command: proves the package's own gradients (proof/self_proof.py)."""

DESCRIPTION = (
    "Prove every gradient of the package, of every function, cell and model and every "
    "argument, by central differences, the complex step and random projection."
)


def add_options(parser):
    """--seed"""
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="of weights and cotangents (0)")


def run(options):
    """numpylm gradcheck"""
    from numpylm.proof.self_proof import gradcheck

    return gradcheck(options)
