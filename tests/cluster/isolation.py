#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The isolation modes and their matrices, tests/node/isolation.py, on three nodes through an API server."""

import os
import runpy

os.environ["VROUTER_API"] = "1"
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "node", "isolation.py"), run_name="__main__")
