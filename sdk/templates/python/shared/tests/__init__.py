"""Run with `python3 -m unittest` in the plugin's folder. The SDK lies in `vendor`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vendor"))
