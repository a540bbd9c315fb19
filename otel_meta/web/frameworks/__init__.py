"""What is known of Starlette and FastAPI: the matched route, and the stack of middleware."""

from .own_routes import has_route
from .route_template import route_template

__all__ = ["has_route", "route_template"]
