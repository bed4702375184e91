# SPDX-License-Identifier: Apache-2.0
"""Runs Kubeferry's installer on a node, and reads what it says. Python 2.7 must read this too."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json


def run(module, words, join=None):
    """Runs the installer: its exit status and both its outputs. A join file goes through a pipe."""
    command = [module.params["installer"]] + words
    return module.run_command(command, data=join, expand_user_and_vars=False)


def status(module):
    """What the node is, as `installer status` says."""
    code, out, err = run(module, ["status", "--json"])
    if code != 0:
        module.fail_json(msg=failure(err))
    return json.loads(out)


def failure(err):
    """Why it failed, in its own words: its problems or its error, from where they begin."""
    lines = err.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(("problem:", "error:")):
            return "\n".join(lines[number:])
    return err or "the installer failed and did not say why"
