#!/usr/bin/env bash
# The README's two commands, with what is committed here, as an ordinary user of a bare Debian 12.
#   newcomer.sh SYSTEM   the root file system is SYSTEM/root, and stays as it is; exits with 77 where none can be entered
# All else in the laboratory runs as root, whom no file and no folder refuses.
set -euo pipefail
system="$1"
root="$(cd "$(dirname "$0")/../.." && pwd)"

if [ "${2:-}" != inside ]; then
  if ! why="$(unshare --mount true 2>&1)"; then
    echo "A newcomer's Debian cannot be entered here: $why" >&2
    exit 77
  fi
  work="$(mktemp -d)"
  trap 'rm -rf --one-file-system "$work"' EXIT
  cp -a "$system/root" "$work/root"
  unshare --mount "$0" "$work" inside # what is mounted below goes with the last process in there
  exit
fi

there="$system/root"
mount --rbind /dev "$there/dev"
mount -t proc proc "$there/proc" || mount --bind /proc "$there/proc"
# Packages come from where this machine gets its own.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$file" ] || cp -L --remove-destination "$file" "$there$file"
done
kept=()
while IFS= read -r setting; do kept+=("$setting"); done < <(env | grep -iE '^(pip_|ssl_cert_|https?_proxy=|no_proxy=)' || true)

mkdir "$there/home/newcomer/edged"
git -c safe.directory='*' -C "$root" archive HEAD | tar -x -C "$there/home/newcomer/edged"
chroot "$there" chown -R newcomer: /home/newcomer/edged

as_newcomer() {
  chroot "$there" setpriv --reuid newcomer --regid newcomer --init-groups \
    env -i HOME=/home/newcomer USER=newcomer LANG=C.UTF-8 PATH=/usr/bin:/bin "${kept[@]}" \
    sh -c 'cd ~/edged && exec "$@"' sh "$@"
}

as_newcomer ./scripts/demo
as_newcomer ./scripts/test -q -m "not slow"
