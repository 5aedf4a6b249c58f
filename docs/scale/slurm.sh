#!/bin/sh
# sbatch --array=1-16 slurm.sh: sixteen tasks share the targets, on a node each.
#SBATCH --job-name=sweep
#SBATCH --exclusive
exec sidestack ping -I "${LINK:-eth0}" -j -r 0 -x 0 --rate 1000 --shard auto \
  @targets @leave-alone > "part-$SLURM_ARRAY_TASK_ID.jsonl"
