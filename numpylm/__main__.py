"""python -m numpylm"""

import sys

from numpylm.commands.cli import main

sys.exit(main())
