#!/usr/bin/env bash
# Runs in the workshop's root file system; leaves /root/out/linux, Debian's kernel as an ordinary program.
set -euo pipefail
cd /root
mkdir -p out build
tar -xf /usr/src/linux-source-6.1.tar.xz
wanted="$(sed 's/#.*//' uml.options)"
{
  for option in $wanted; do echo "CONFIG_$option=y"; done
  echo 'CONFIG_UML_PCI_OVER_VIRTIO_DEVICE_ID=1234'
  echo 'CONFIG_CON_ZERO_CHAN="fd:0,fd:1"'
  echo 'CONFIG_CON_CHAN="null"'
  echo 'CONFIG_SSL_CHAN="null"'
} > wanted
build=(make -s -C linux-source-6.1 ARCH=um O=/root/build)
"${build[@]}" KCONFIG_ALLCONFIG=/root/wanted allnoconfig
missing=()
for option in $wanted; do
  grep -q "^CONFIG_$option=y" build/.config || missing+=("$option")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "this kernel cannot have: ${missing[*]}" >&2
  exit 1
fi
"${build[@]}" -j"$(nproc)" linux
strip -o out/linux build/linux
