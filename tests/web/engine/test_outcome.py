from __future__ import annotations

import asyncio

import pytest
import trio

from otel_meta.web.engine.outcome import Ending, ending, is_cancellation, qualified_name


class ShopError(Exception):
    """An exception class of the application."""


CANCELLED = asyncio.CancelledError()


class TestEnding:
    @pytest.mark.parametrize(
        ("status", "error", "expected"),
        [
            (200, None, ("ok", "")),
            (399, None, ("ok", "")),
            (400, None, ("client_error", "")),
            (499, None, ("client_error", "")),
            (500, None, ("server_error", "500")),
            (599, None, ("server_error", "599")),
            (0, ValueError(), ("server_error", "ValueError")),
            (200, ValueError(), ("server_error", "ValueError")),
            (500, ShopError(), ("server_error", f"{__name__}.ShopError")),
            (0, CANCELLED, ("cancelled", "")),
            (0, KeyboardInterrupt(), ("server_error", "KeyboardInterrupt")),
            (0, SystemExit(), ("server_error", "SystemExit")),
            (0, ExceptionGroup("", [ValueError()]), ("server_error", "ExceptionGroup")),
        ],
    )
    def test_status_and_exception_decide(
        self, status: int, error: BaseException | None, expected: tuple[str, str]
    ) -> None:
        """Status and exception decide on the outcome and the error type of a complete response."""
        end = ending(status, error, is_complete=True, is_disconnected=False)

        assert expected == tuple(end)

    @pytest.mark.parametrize("status", [0, 200, 404, 500])
    def test_response_without_end_is_error(self, status: int) -> None:
        """A response without an end is an error, if no exception says more."""
        assert Ending("incomplete_response", "incomplete_response") == ending(
            status, None, is_complete=False, is_disconnected=False
        )

    @pytest.mark.parametrize("error", [None, ValueError(), CANCELLED])
    def test_disconnect_precedes_exception_and_status(self, error: BaseException | None) -> None:
        """A disconnect precedes exception and status, and is no error."""
        assert Ending("client_disconnect", "") == ending(
            500, error, is_complete=False, is_disconnected=True
        )


class TestCancellation:
    def test_cancellation_of_trio_is_cancellation(self) -> None:
        """A cancellation of trio is a cancellation."""
        caught: list[BaseException] = []

        async def cancelled() -> None:
            with trio.CancelScope() as scope:
                scope.cancel()
                try:
                    await trio.sleep_forever()
                except BaseException as error:
                    caught.append(error)
                    raise

        trio.run(cancelled)

        assert [True] == [is_cancellation(error) for error in caught]

    def test_group_is_cancellation_if_every_member_is(self) -> None:
        """A group, also in a group, is a cancellation if every member is a cancellation."""
        only = BaseExceptionGroup("", [CANCELLED, BaseExceptionGroup("", [CANCELLED])])
        mixed = BaseExceptionGroup("", [CANCELLED, BaseExceptionGroup("", [ValueError()])])

        assert (True, False) == (is_cancellation(only), is_cancellation(mixed))


class TestQualifiedName:
    def test_builtin_class_has_no_module(self) -> None:
        """A built-in class has no module, and a nested class its full name."""

        class Inner(ValueError):
            pass

        assert "ValueError" == qualified_name(ValueError())
        assert f"{__name__}.{Inner.__qualname__}" == qualified_name(Inner())
