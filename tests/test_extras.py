from __future__ import annotations

import pytest

from otel_meta.errors import ConfigurationError
from otel_meta.extras import optional


class TestOptional:
    def test_there(self) -> None:
        """What is installed is imported."""
        assert pytest is optional("pytest", "Something", "thing")

    def test_missing(self) -> None:
        """What is missing is a configuration error, and an import error as well."""
        with pytest.raises(ConfigurationError) as caught:
            optional("otel_meta.not_there", "Something", "thing")

        assert isinstance(caught.value, ImportError)
        assert "Something needs: pip install 'otel_meta[thing]'" == str(caught.value)
