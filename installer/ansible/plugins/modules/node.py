#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Makes a node, or takes it back."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: node
short_description: Make a node of Kubernetes without internet, or take it back
description:
  - Runs Kubeferry's C(installer) on the node. The installer first says what it would change, and
    is run only if there is something.
  - In check mode, all problems that are in the way fail the task, and nothing is changed.
version_added: "0.1.0"
author: Kubeferry (@kubeferry)
options:
  state:
    description: V(present) makes the node. V(absent) takes back what the installer did to it.
    type: str
    choices: [present, absent]
    default: present
  installer:
    description: The installer's file on the node.
    type: path
    required: true
  role:
    description: What the node is to be.
    type: str
    choices: [master, worker]
  bundle:
    description: The bundle on the node, any of its parts, or the folder that it is in.
    type: path
  config:
    description: The cluster file on the node.
    type: path
  trusted_keys:
    description: Files on the node. The bundle is taken only if a key in one of them has signed it.
    type: list
    elements: path
    default: []
  address:
    description: The node's address. It is needed if the node has several.
    type: str
  join:
    description:
      - The text of a join file, for a worker or a further master. It is a secret. The installer
        reads it from a pipe, so it is never a file of the node's.
      - A further master that is in its cluster uses the join file that it keeps.
    type: str
attributes:
  check_mode:
    description: The installer says what it would do.
    support: full
  diff_mode:
    description: The changes of each step, in the installer's words.
    support: full
"""

EXAMPLES = r"""
- name: Make the first master
  kubeferry.cluster.node:
    installer: /media/usb/installer
    bundle: /media/usb/demo.tar
    role: master

- name: Have the master make a join file
  ansible.builtin.command: /media/usb/installer token
  delegate_to: m1
  run_once: true
  no_log: true
  register: token

- name: Make the workers
  kubeferry.cluster.node:
    installer: /media/usb/installer
    bundle: /media/usb/demo.tar
    role: worker
    join: "{{ token.stdout }}"

- name: Take a node back
  kubeferry.cluster.node:
    installer: /media/usb/installer
    state: absent
"""

RETURN = r"""
changes:
  description: How many changes were made, or would be made in check mode.
  returned: when O(state=present)
  type: int
steps:
  description: The steps that have changes, each with O(ignore:step) and O(ignore:changes).
  returned: when O(state=present)
  type: list
  elements: dict
  sample: [{"step": "hosts", "changes": ["write /etc/hosts"]}]
status:
  description: What C(installer status --json) says in the end.
  returned: success
  type: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubeferry.cluster.plugins.module_utils import installer


def aim(module, status):
    """The options that say what the node is to be, and the join file for the pipe."""
    params = module.params
    words = ["--role", params["role"], "--bundle", params["bundle"]]
    for name in ("config", "address"):
        if params[name]:
            words += ["--" + name, params[name]]
    for key in params["trusted_keys"]:
        words += ["--trusted-key", key]
    if status.get("joinFile"):
        return words + ["--join", status["joinFile"]], None
    if params["join"]:
        return words + ["--join", "/dev/stdin"], params["join"]
    return words, None


def plan(module, words, join):
    """What the installer would do. If steps cannot plan, only preflight has all problems."""
    for command in ("plan", "preflight"):
        code, out, err = installer.run(module, [command, "--json"] + words, join)
        try:
            said = json.loads(out)
        except ValueError:
            continue
        for warning in said["warnings"]:
            module.warn("{0} (hint: {1})".format(warning["warning"], warning["cure"]))
        if said["problems"]:
            lines = ["{0}\n  hint: {1}".format(one["problem"], one["cure"]) for one in said["problems"]]
            module.fail_json(msg="\n".join(lines), problems=said["problems"])
        if code == 0:
            return said
    return module.fail_json(msg=installer.failure(err))


def present(module):
    """Makes the node, if there is something to do."""
    status = installer.status(module)
    words, join = aim(module, status)
    steps = [step for step in plan(module, words, join)["steps"] if step["changes"]]
    changes = sum(len(step["changes"]) for step in steps)
    result = {"changed": changes > 0, "changes": changes, "steps": steps}
    lines = ["{0}: {1}\n".format(step["step"], one) for step in steps for one in step["changes"]]
    result["diff"] = {"prepared": "".join(lines)}
    is_cut = any(step["progress"] == "interrupted" for step in status["steps"])
    is_done = changes == 0 and status["inCluster"] and not is_cut
    if not (module.check_mode or is_done):
        made = installer.run(module, words + ["--yes"], join)
        if made[0] != 0:
            module.fail_json(msg=installer.failure(made[2]), stdout=made[1], stderr=made[2])
        status = installer.status(module)
    module.exit_json(status=status, **result)


def absent(module):
    """Takes everything back, if the installer has been at work."""
    status = installer.status(module)
    was_made = status["role"] is not None
    if was_made and not module.check_mode:
        code, out, err = installer.run(module, ["reset", "--yes"])
        if code != 0:
            module.fail_json(msg=installer.failure(err), stdout=out, stderr=err)
        status = installer.status(module)
    module.exit_json(changed=was_made, status=status)


def main():
    """Does what the state says."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "installer": {"type": "path", "required": True},
            "role": {"choices": ["master", "worker"]},
            "bundle": {"type": "path"},
            "config": {"type": "path"},
            "trusted_keys": {
                "type": "list",
                "elements": "path",
                "default": [],
                "no_log": False,
            },
            "address": {},
            "join": {"no_log": True},
        },
        required_if=[("state", "present", ["role", "bundle"])],
        supports_check_mode=True,
    )
    if module.params["state"] == "present":
        present(module)
    else:
        absent(module)


if __name__ == "__main__":
    main()
