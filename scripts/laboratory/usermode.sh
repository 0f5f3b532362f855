#!/usr/bin/env bash
# Put what User-mode Linux needs into one folder: its kernel, and a disk without modules.
#   usermode.sh DIR UML SYSTEM SITE   leaves linux and root.img in DIR
set -euo pipefail
"$(dirname "$0")/root.sh" "$1" "$3" "$4"
ln "$2/linux" "$1/linux"
