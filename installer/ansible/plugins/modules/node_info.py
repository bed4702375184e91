#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""What a node is."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: node_info
short_description: Say what a node of Kubernetes is
description:
  - Runs C(installer status) on the node, and gives what it says. Nothing is changed.
version_added: "0.1.0"
author: Kubeferry (@kubeferry)
options:
  installer:
    description: The installer's file on the node.
    type: path
    required: true
attributes:
  check_mode:
    description: It never changes anything.
    support: full
"""

EXAMPLES = r"""
- name: Ask each node what it is
  kubeferry.cluster.node_info:
    installer: /media/usb/installer
  register: node

- name: Show the nodes that are not ready
  ansible.builtin.debug:
    var: node.status.node
  when: node.status.node.ready | default('') != 'True'
"""

RETURN = r"""
status:
  description: What C(installer status --json) says.
  returned: success
  type: dict
  sample: {"name": "m1", "role": "master", "inCluster": true, "kubelet": "v1.37.2"}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubeferry.cluster.plugins.module_utils import installer


def main():
    """Asks, and gives the answer."""
    module = AnsibleModule(
        argument_spec={"installer": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    module.exit_json(changed=False, status=installer.status(module))


if __name__ == "__main__":
    main()
