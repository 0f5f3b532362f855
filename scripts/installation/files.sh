# Sourced by scripts/install: which files edged consists of, and where they go below $dest.

# Make a virtual environment with edged in DIR, to be moved to HOME.
make_environment() {
  local dir="$1" final="$2" options=() more=()
  # Engines beside ncnn: those asked for now, or those of the environment that this one replaces.
  read -ra more <<< "${EDGED_PACKAGES-$(cat "$dest/opt/edged/packages" 2> /dev/null || true)}"
  rm -rf "$dir"
  mkdir -p "$(dirname "$dir")"
  # TensorRT comes with JetPack, as a module of the system's Python.
  [ -e /etc/nv_tegra_release ] && options=(--system-site-packages)
  "$python" -m venv "${options[@]}" "$dir"
  "$dir/bin/pip" -qq --disable-pip-version-check --no-cache-dir install "$root" "${more[@]}" || return 1
  echo "${more[*]}" > "$dir/packages"
  "$dir/bin/pip" -qq --disable-pip-version-check uninstall -y pip setuptools 2> /dev/null || true # not used again
  # Scripts and settings name the place where the environment was made.
  grep -rlIF "$dir" "$dir/bin" "$dir/pyvenv.cfg" | xargs -r sed -i "s|$dir|$final|g"
}

# Copy units, documents and what the service is set up with; the environment lies in $home already.
copy_files() {
  # Not below /opt, which may be mounted later than systemd reads what is linked to here.
  local share="$dest/usr/lib/edged"
  rm -rf "$share"
  install -d "$share" "$dest/usr/bin" "$dest/usr/share/doc/edged" "$dest/usr/lib/systemd/system"
  install -m755 "$root"/scripts/installation/{settle,back-off} "$root/scripts/uninstall" "$share/"
  cp -r "$root/systemd/edged.service.d" "$root/systemd/system.conf.d" "$root/systemd/journald.conf.d" "$share/"
  install -m644 "$root/systemd/edged.service" "$dest/usr/lib/systemd/system/"
  install -D -m644 "$root/systemd/sysusers.d/edged.conf" "$dest/usr/lib/sysusers.d/edged.conf"
  install -D -m644 "$root/systemd/tmpfiles.d/edged.conf" "$dest/usr/lib/tmpfiles.d/edged.conf"
  install -m644 "$root"/README.md "$root"/CHANGELOG.md "$root"/LICENSE "$root"/docs/*.md "$dest/usr/share/doc/edged/"
  ln -sfn /opt/edged/bin/edged "$dest/usr/bin/edged"
}
