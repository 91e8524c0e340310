"""python -m numpylm"""

import sys

from numpylm.cli import main

sys.exit(main())
