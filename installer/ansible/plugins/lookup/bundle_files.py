# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: bundle_files
short_description: The files of one of Kubeferry's bundles
description:
  - The bundle, or its parts if it was cut, and its signature, on the machine where Ansible runs.
  - No character of a path is a pattern.
version_added: "0.1.0"
author: Kubeferry (@kubeferry)
options:
  _terms:
    description: Paths of bundles, or of any of their parts.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Show the files of a bundle
  ansible.builtin.debug:
    msg: "{{ query('kubeferry.cluster.bundle_files', '/media/usb/demo.tar') }}"
"""

RETURN = r"""
_list:
  description: The paths of the files, in the order of their names.
  type: list
  elements: path
"""

import os
import re

from ansible.plugins.lookup import LookupBase

PART = r"\.part[0-9]+of[0-9]+"


def files(bundle):
    """The paths of a bundle's files."""
    folder = os.path.realpath(os.path.dirname(bundle) or ".")
    name = re.sub(PART + r"\Z", "", os.path.basename(bundle))
    own = re.compile(re.escape(name) + "(" + PART + r"|\.minisig)?\Z")
    found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    paths = [os.path.join(folder, one) for one in found if own.match(one)]
    return [path for path in paths if os.path.isfile(path)]


class LookupModule(LookupBase):
    """Finds them."""

    def run(self, terms, variables=None, **kwargs):
        """The files of all bundles."""
        return [path for term in terms for path in files(term)]
