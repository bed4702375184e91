#!/usr/bin/env bash
# Programs that say that they are of another release of the same length: their version is
# changed in them byte for byte, which takes seconds. They do what they did before.
#
# usage: restamp.sh OUT    (a new folder)
#        KUBERNETES: the programs;  FROM, TO: the releases, such as 1.37.2
set -euo pipefail
out=$1
from=v${FROM:?} to=v${TO:?}
if ((${#from} != ${#to})); then
    echo "$to has not the length of $from" >&2
    exit 1
fi
cp -a "${KUBERNETES:?}" "$out"
LC_ALL=C sed -i "s/${from//./\\.}/$to/g" "$out"/*
if [[ $("$out/kubelet" --version) != "Kubernetes $to" ]]; then
    echo "kubelet still says $("$out/kubelet" --version)" >&2
    exit 1
fi
