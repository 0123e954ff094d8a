# SPDX-License-Identifier: GPL-2.0-only
"""What the scenario tests share: a node with module, daemon, manager and pods."""
