#!/bin/sh
# A stand-in for swapon and swapoff in a node of the lab: swap belongs to the
# whole machine, so these keep /proc/swaps, a file of the node's own, and touch
# nothing else.
heading='Filename				Type		Size		Used		Priority'
case ${0##*/} in
swapoff) printf '%s\n' "$heading" >/proc/swaps ;;
swapon)
    for argument; do
        case $argument in
        -s | --show | --show=* | --summary) exec tail -n +2 /proc/swaps ;;
        -a | --all)
            printf '%s\n' "$heading" >/proc/swaps
            awk '$1 !~ /^#/ && $3 == "swap" { printf "%s file 1020 0 -2\n", $1 }' /etc/fstab >>/proc/swaps
            ;;
        esac
    done
    ;;
esac
