"""Zero code: telemetry by an injector, such as the command ``opentelemetry-instrument``.

At the start of the interpreter, the injector loads entry points of pyproject.toml: the distribution
(`meta_distro`), the configurator, and the instrumentors of libraries, among them that of FastAPI
and Starlette. The application needs no line of code.
"""
