# Sourced: build WHICH  makes what is missing of a machine, and sets $kernel, $image and $usermode to the folders that
# hold it. WHICH is machine (QEMU's), usermode (User-mode Linux) or both.
# Each stage lies in a folder named by a hash of all that it is made of, so that only what changed is made again.

laboratory="$root/scripts/laboratory"
python="$root/.venv/bin/python"
cache="${EDGED_LAB:-${XDG_CACHE_HOME:-${HOME:-$root}/.cache}/edged-lab}"
of_a_machine="qemu-system-x86 qemu-utils mmdebstrap e2fsprogs" # Debian's packages

hash_of() { cat "$@" | sha256sum | cut -c1-12; }

# Where `stage` puts it: NAME FILES…
place_of() {
  local name="$1"
  shift
  echo "$cache/$name-$(hash_of "$@")"
}

# Make DIR by `COMMAND… DIR.part…`, unless it is there, and remove what came before it.
stage() {
  local dir="$1" name began=$SECONDS old
  shift
  [ -d "$dir" ] && return
  name="$(basename "${dir%-*}")"
  rm -rf "$dir.part"
  mkdir -p "$dir.part"
  if ! "$@" > "$cache/$name.log" 2>&1; then
    echo "The laboratory's $name cannot be made; the end of $cache/$name.log:" >&2
    tail -n 20 "$cache/$name.log" >&2
    return 1
  fi
  for old in "$cache/$name"-*; do
    [ "$old" = "$dir.part" ] || rm -rf "$old"
  done
  mv "$dir.part" "$dir"
  echo "Made the laboratory's $name in $((SECONDS - began)) s." >&2
}

# What the daemon and its tests import, as wheels for the machine's Python.
packages() {
  "$python" - << 'PYTHON'
import importlib.metadata

print(*(name for name in importlib.metadata.requires("edged") or () if "extra ==" not in name), sep="\n")
print("pytest", "pytest-timeout", "hypothesis", sep="\n")
PYTHON
}

check_tools() { # "PACKAGES" that hold them, TOOLS…
  local packages="$1" missing=() tool
  shift
  for tool in "$@"; do
    command -v "$tool" > /dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "The laboratory needs ${missing[*]}." >&2
  echo "  sudo apt-get install --no-install-recommends $packages" >&2
  exit 3
}

check_root() { # WHAT needs root to be made, and the COMMAND of scripts/lab that makes it
  [ "$(id -u)" = 0 ] && return
  echo "The laboratory's $1 is not made yet, and making it needs root: sudo scripts/lab $2" >&2
  echo "  With EDGED_LAB=$cache it is then here for you, too." >&2
  exit 3
}

is_made() { # WHICH
  { [ "$1" = usermode ] || [ -d "$image" ]; } && { [ "$1" = machine ] || [ -d "$usermode" ]; }
}

build() { # WHICH: machine, usermode, or both
  local which="$1" system site uml wanted jobs=() job
  if [ "$(uname -m)" != x86_64 ]; then
    echo "The laboratory's machines are PCs, and are made on one: this is $(uname -m)." >&2
    exit 3
  fi
  [ "$which" = usermode ] || check_tools "$of_a_machine" qemu-system-x86_64 qemu-img
  mkdir -p "$cache" || exit 3
  exec 9> "$cache/lock"
  flock 9
  wanted="$cache/packages.txt"
  packages > "$wanted.new"
  mv "$wanted.new" "$wanted"

  cd "$laboratory"
  kernel="$(place_of kernel debian.sh kernel.sh inside/workshop.sh inside/init inside/zone/zone.c)"
  system="$(place_of system debian.sh system.sh inside/settle.sh inside/agent.py inside/lab-agent.service)"
  site="$(place_of site site.sh "$wanted")"
  uml="$(place_of uml debian.sh uml.sh inside/uml-workshop.sh inside/uml.options)"
  image="$cache/image-$( (echo "$kernel $system $site"; cat root.sh image.sh first_boot.py machine.py line.py) | hash_of -)"
  usermode="$cache/usermode-$( (echo "$uml $system $site"; cat root.sh usermode.sh) | hash_of -)"
  cd "$OLDPWD"
  if is_made "$which"; then
    exec 9>&-
    return
  fi
  check_tools "$of_a_machine" mmdebstrap mke2fs
  check_root machine build
  echo "Making the laboratory's machine in $cache (once, some minutes) ..." >&2
  stage "$system" "$laboratory/system.sh" "$system.part" & jobs+=($!)
  stage "$site" "$laboratory/site.sh" "$site.part" "$wanted" "$python" & jobs+=($!)
  if [ "$which" != usermode ]; then
    stage "$kernel" "$laboratory/kernel.sh" "$kernel.part" & jobs+=($!)
  fi
  if [ "$which" != machine ]; then
    stage "$uml" "$laboratory/uml.sh" "$uml.part" & jobs+=($!)
  fi
  for job in "${jobs[@]}"; do wait "$job"; done
  if [ "$which" != usermode ]; then
    stage "$image" "$laboratory/image.sh" "$image.part" "$kernel" "$system" "$site" "$python"
  fi
  if [ "$which" != machine ]; then
    stage "$usermode" "$laboratory/usermode.sh" "$usermode.part" "$uml" "$system" "$site"
  fi
  exec 9>&-
}

# Make what is missing for the emulated Arm processors, and set $arm and $site to the folders that hold it.
build_arm() {
  local wanted="$cache/arm.txt"
  check_tools "qemu-user mmdebstrap" qemu-aarch64
  mkdir -p "$cache" || exit 3
  exec 7> "$cache/lock-arm"
  flock 7
  packages > "$wanted"
  cd "$laboratory"
  arm="$(place_of arm debian.sh arm.sh)"
  site="$(place_of armsite site.sh "$wanted")"
  cd "$OLDPWD"
  if [ ! -d "$arm" ]; then
    check_tools mmdebstrap mmdebstrap
    check_root "system for Arm" arm
  fi
  stage "$arm" "$laboratory/arm.sh" "$arm.part"
  stage "$site" "$laboratory/site.sh" "$site.part" "$wanted" "$python" aarch64
  exec 7>&-
}

# Make what is missing of the container, and set $resident and $wheels to the folders that hold it.
build_container() {
  local wanted="$cache/installed.txt"
  check_tools mmdebstrap mmdebstrap
  mkdir -p "$cache" || exit 3
  exec 8> "$cache/lock-container"
  flock 8
  packages | grep -v -e '^pytest' -e '^hypothesis' > "$wanted"
  cd "$laboratory"
  resident="$(place_of resident debian.sh resident.sh)"
  wheels="$(place_of wheels wheels.sh "$wanted")"
  cd "$OLDPWD"
  stage "$resident" "$laboratory/resident.sh" "$resident.part"
  stage "$wheels" "$laboratory/wheels.sh" "$wheels.part" "$wanted" "$python"
  exec 8>&-
}

# Make what is missing of a newcomer's Debian, and set $bare to the folder that holds it.
build_bare() {
  check_tools "mmdebstrap git" mmdebstrap git
  check_root "bare Debian" newcomer
  mkdir -p "$cache" || exit 3
  exec 6> "$cache/lock-bare"
  flock 6
  cd "$laboratory"
  bare="$(place_of bare debian.sh bare.sh)"
  cd "$OLDPWD"
  stage "$bare" "$laboratory/bare.sh" "$bare.part"
  exec 6>&-
}
