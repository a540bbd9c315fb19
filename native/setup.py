"""Build of the extension module: for the stable ABI of Python 3.11 and later.

Free-threaded versions of Python have no stable ABI, so each has a build of its own.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Final

from setuptools import Extension, setup

HAS_STABLE_ABI: Final = not sysconfig.get_config_var("Py_GIL_DISABLED")
FLAGS: Final = {"win32": ["/std:c11", "/experimental:c11atomics"]}

setup(
    ext_modules=[
        Extension(
            "otel_meta_native",
            sources=sorted(map(str, Path("source").glob("*.c"))),
            depends=sorted(map(str, Path("source").glob("*.h"))),
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if HAS_STABLE_ABI else [],
            extra_compile_args=FLAGS.get(sys.platform, ["-std=c11"]),
            py_limited_api=HAS_STABLE_ABI,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if HAS_STABLE_ABI else {},
)
