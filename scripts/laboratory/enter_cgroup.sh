#!/usr/bin/env bash
# Move into a fresh control group below the present one in every hierarchy, then run a command there, so that the
# container's systemd has groups of its own to put limits on.
#   enter_cgroup.sh COMMAND…
set -euo pipefail
name="edged-lab.$$"
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p "/sys/fs/cgroup/$name"
  echo $$ > "/sys/fs/cgroup/$name/cgroup.procs"
else
  for controller in memory devices pids cpu cpuacct blkio freezer; do
    here="$(awk -F: -v name="$controller" '$2 == name { print $3 }' /proc/self/cgroup)"
    group="/sys/fs/cgroup/$controller${here%/}/$name"
    if mkdir -p "$group" 2> /dev/null; then echo $$ > "$group/cgroup.procs"; fi
  done
fi
exec "$@"
