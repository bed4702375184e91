# SPDX-License-Identifier: Apache-2.0
"""The machines of Kubeferry's cluster file."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: cluster_file
short_description: The machines of Kubeferry's cluster file
description:
  - Reads C(nodes) of a cluster file. Each machine needs C(role) there.
  - Masters are in the group C(kubeferry_masters), workers in C(kubeferry_workers), and both in
    C(kubeferry). Their order is the file's, and the first master is the one that is made first.
  - C(kubeferry_config) is the file's path, and C(kubeferry_address) a machine's address.
  - The file may be encrypted with C(ansible-vault).
version_added: "0.1.0"
author: Kubeferry (@kubeferry)
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [kubeferry.cluster.cluster_file]
  cluster_file:
    description: The cluster file. A relative path begins at the inventory's folder.
    type: str
    default: cluster.yaml
"""

EXAMPLES = r"""
# kubeferry.yml, beside cluster.yaml
plugin: kubeferry.cluster.cluster_file
"""

import os
import re

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")
ADDRESS = re.compile(r"[0-9a-fA-F.:]+\Z")
GROUPS = {"master": "kubeferry_masters", "worker": "kubeferry_workers"}


class InventoryModule(BaseInventoryPlugin):
    """Adds each machine to the group of its role."""

    NAME = "kubeferry.cluster.cluster_file"

    def verify_file(self, path):
        """Whether a file may be for this plugin; its first key says so then."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Reads the cluster file that the inventory names."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        name = self.get_option("cluster_file")
        cluster_file = os.path.abspath(os.path.join(os.path.dirname(path), name))
        inventory.add_group("kubeferry")
        for group in GROUPS.values():
            inventory.add_group(group)
            inventory.add_child("kubeferry", group)
        inventory.set_variable("kubeferry", "kubeferry_config", cluster_file)
        for machine in self.machines(loader.load_from_file(cluster_file), cluster_file):
            host = inventory.add_host(machine["name"], GROUPS[machine["role"]])
            inventory.set_variable(host, "ansible_host", machine["address"])
            inventory.set_variable(host, "kubeferry_address", machine["address"])

    @staticmethod
    def machines(document, cluster_file):
        """The machines. The installer checks all else on each node, before it changes anything."""
        machines = document.get("nodes") if isinstance(document, dict) else None
        if not isinstance(machines, list) or not machines:
            raise AnsibleParserError("%s has no list `nodes`" % cluster_file)
        for machine in machines:
            if not isinstance(machine, dict) or not all(
                isinstance(machine.get(key), str) and machine[key] for key in ("name", "address")
            ):
                raise AnsibleParserError(
                    "%s: each machine in `nodes` needs a name and an address, as texts" % cluster_file
                )
            # A value is a template for Ansible, which would run what somebody wrote into it.
            if not NAME.match(machine["name"]) or not ADDRESS.match(machine["address"]):
                raise AnsibleParserError(
                    "%s: %r at %r is no name of a node with its address"
                    % (cluster_file, machine["name"], machine["address"])
                )
            if str(machine.get("role")) not in GROUPS:
                raise AnsibleParserError(
                    "%s: %s needs `role: master` or `role: worker`" % (cluster_file, machine["name"])
                )
        return machines
