"""What is known of Starlette and FastAPI: the matched route, the stack, and other recorders."""

from .middleware_stack import StackHook
from .other_recorders import OtherRecorders
from .own_routes import has_route
from .route_template import route_template

__all__ = ["OtherRecorders", "StackHook", "has_route", "route_template"]
