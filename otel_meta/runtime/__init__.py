"""Runtime of a process: recording, export, logs, and SLO tracking."""

from .sdk_environment import import_sdk_safely

import_sdk_safely()  # before a module of this package imports the SDK
