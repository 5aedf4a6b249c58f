#!/bin/sh
# Four parts, one at a time on each machine; -S names other machines than this one.
# -n0: the part's number is in PARALLEL_SEQ, and not in the command.
seq 4 | parallel -j 1 -n0 \
  sidestack ping -I "${LINK:-eth0}" -j -r 0 -x 0 --rate 1000 --shard auto/4 \
  @targets @leave-alone '>' 'part-{#}.jsonl'
