# Sourced: make_debian DIR PACKAGES [options of mmdebstrap]  makes a small Debian 12 root file system in DIR.
make_debian() {
  local dir="$1" packages="$2" sources=()
  shift 2
  # A machine that runs Debian 12 itself may have its packages from a mirror of its own.
  if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release && [ -f /etc/apt/sources.list.d/debian.sources ]; then
    sources=(/etc/apt/sources.list.d/debian.sources)
  fi
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "$@" bookworm "$dir" "${sources[@]}"
}
