#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The 48 NetworkPolicy cases of tests/node/netpol.py on three nodes, through an API server."""

import os
import runpy

os.environ["VROUTER_API"] = "1"
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "node", "netpol.py"), run_name="__main__")
