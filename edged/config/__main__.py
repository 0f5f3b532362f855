"""`python -m edged.config` prints the tables of docs/configuration.md."""

import sys

from edged.config.reference import reference

sys.stdout.write(reference())
