"""What is known of Starlette and FastAPI: the matched route, the stack, and other recorders."""

from .builtin_telemetry import BuiltinTelemetry
from .contrib_middleware import kept
from .middleware_stack import StackHook
from .other_recorders import OtherRecorders
from .own_routes import has_route
from .route_template import route_template
from .websocket_disconnect import is_websocket_disconnect

__all__ = [
    "BuiltinTelemetry",
    "OtherRecorders",
    "StackHook",
    "has_route",
    "is_websocket_disconnect",
    "kept",
    "route_template",
]
