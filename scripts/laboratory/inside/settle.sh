#!/usr/bin/env bash
# Runs in the new root file system: a name, users, and nothing started that no test looks at.
set -euo pipefail
echo laboratory > /etc/hostname
echo '127.0.0.1 localhost laboratory' > /etc/hosts
rm -f /etc/fstab # the machines have different names for their disk, and mount it themselves
echo 5c1d7c5e0b1e4f0c9c7e0a1b2c3d4e5f > /etc/machine-id
useradd --create-home visitor                 # may not open a camera
useradd --create-home --groups video watcher  # may

not_needed=(
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  getty@tty1.service serial-getty@ttyS0.service systemd-logind.service remote-fs.target systemd-pstore.service
  systemd-timesyncd.service systemd-update-utmp-runlevel.service systemd-binfmt.service ldconfig.service
  modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@fuse.service modprobe@loop.service
  systemd-hwdb-update.service systemd-machine-id-commit.service systemd-sysusers.service systemd-firstboot.service
)
for unit in "${not_needed[@]}"; do
  ln -sf /dev/null "/etc/systemd/system/$unit"
done
