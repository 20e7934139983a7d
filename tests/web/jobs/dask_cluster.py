"""A Dask cluster of one worker in a process of its own, until its standard input ends: prints its address."""

import os
import sys

from distributed import LocalCluster

if __name__ == "__main__":
    os.environ["COMPUTES_FOR_OTHERS"] = "yes"
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        sys.stdout.write(cluster.scheduler_address + "\n")
        sys.stdout.flush()
        sys.stdin.read()
