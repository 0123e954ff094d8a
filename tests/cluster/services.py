#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Service cases of tests/node/conformance.py on two nodes, through an API server."""

import os
import runpy

os.environ["VROUTER_API"] = "1"
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "node", "conformance.py"), run_name="__main__")
