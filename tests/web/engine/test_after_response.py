from __future__ import annotations

from typing import Any

import pytest

from otel_meta.semconv import HTTP_SERVER_AFTER_RESPONSE_ERRORS
from otel_meta.web.asgi import Receive, Scope, Send
from tests.web.engine.direct_calls import DirectCalls, answer


class ShopError(Exception):
    """An exception class of the application."""


async def fail_late(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail after the response."""
    await answer(scope, receive, send)
    raise ShopError


class TestTeardown:
    def test_exception_after_response_is_counted_by_class(self, direct: DirectCalls) -> None:
        """An exception after the response is counted by its class."""
        with pytest.raises(ShopError):
            direct.run(fail_late)

        assert 1 == direct.captured.value(
            HTTP_SERVER_AFTER_RESPONSE_ERRORS,
            phase="teardown",
            error_type=f"{__name__}.ShopError",
            http_route="",
        )

    def test_exception_after_response_is_on_span_of_its_own(self, direct: DirectCalls) -> None:
        """An exception after the response is on a span of its own, below the server span."""
        with pytest.raises(ShopError):
            direct.run(fail_late)
        spans: list[Any] = list(direct.captured.spans())
        server, teardown = spans

        assert (server.context.span_id, "ERROR") == (
            teardown.parent.span_id,
            teardown.status.status_code.name,
        )
        assert ([0, 1], "UNSET") == (
            [len(span.events) for span in spans],
            server.status.status_code.name,
        )

    def test_good_request_has_no_further_span(self, direct: DirectCalls) -> None:
        """A good request has no further span, and no error is counted."""
        direct.run(answer)

        assert ["GET"] == [span.name for span in direct.captured.spans()]
        assert not direct.captured.value(HTTP_SERVER_AFTER_RESPONSE_ERRORS)
