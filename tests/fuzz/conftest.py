"""Targets and seeds are modules of this folder, for the fuzzer too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
