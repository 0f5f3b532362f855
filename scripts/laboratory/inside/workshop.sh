#!/usr/bin/env bash
# Runs in the workshop's root file system; leaves /root/out.
set -euo pipefail
cd /root
mkdir -p out/modules initrd/{bin,dev,etc,proc,sys,modules,root}

in_the_machine=(virtio_blk virtio_console virtio_rng ext4 autofs4 vivid v4l2loopback zone softdog i6300esb)
to_reach_the_disk=(virtio_pci virtio_blk ext4)

version="$(basename /usr/src/linux-headers-*-amd64)"
version="${version#linux-headers-}"
apt-get -qq download "linux-image-$version" v4l2loopback-dkms
dpkg-deb -x linux-image-*.deb kernel
dpkg-deb -x v4l2loopback-dkms_*.deb loopback

loopback="$(echo /root/loopback/usr/src/v4l2loopback-*)"
make -s -C "/usr/src/linux-headers-$version" M="$loopback" modules
make -s -C "/usr/src/linux-headers-$version" M=/root/zone modules
modules="kernel/lib/modules/$version"
strip --strip-debug "$loopback/v4l2loopback.ko" zone/zone.ko
mkdir "$modules/extra"
cp "$loopback/v4l2loopback.ko" zone/zone.ko "$modules/extra/"
depmod -b kernel "$version"

files_of() { # the modules named and all that they need, in the order to load them
  for name in "$@"; do
    modprobe -d kernel -S "$version" --show-depends "$name" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | awk '!seen[$0]++'
}

files_of "${in_the_machine[@]}" | while read -r file; do
  install -D -m644 "$file" "out/modules/$version/${file#*"/$version/"}"
done
cp "$modules"/modules.{order,builtin,builtin.modinfo} "out/modules/$version/"
mkdir -p out/lib && ln -s ../modules out/lib/modules
depmod -b out "$version"
rm -r out/lib
cp kernel/boot/vmlinuz-* out/vmlinuz

cp /bin/busybox initrd/bin/
ln -s busybox initrd/bin/sh
cp /sbin/e2fsck.static initrd/bin/e2fsck
printf '[options]\nbroken_system_clock = true\n' > initrd/etc/e2fsck.conf
install -m755 init initrd/init
files_of "${to_reach_the_disk[@]}" | while read -r file; do
  cp "$file" initrd/modules/
  basename "$file" >> initrd/order
done
(cd initrd && find . | cpio --quiet -o -H newc | gzip -1) > out/initrd.gz
