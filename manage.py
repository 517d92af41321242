#!/usr/bin/env python
"""Run Concord's commands: `manage.py demo`, `manage.py migrate`, ..."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ.setdefault("CONCORD_MODE", "demo")
        if "--once" in sys.argv:
            # A run that has to add up begins empty, and leaves the demo one is looking at alone.
            os.environ.setdefault("CONCORD_CLUSTER", "once")
    execute_from_command_line(sys.argv)
