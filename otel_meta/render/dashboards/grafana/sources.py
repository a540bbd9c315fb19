"""The data source of the panels' queries, which a variable selects."""

from __future__ import annotations

from typing import Final

from ._sdk import common_models

PROMETHEUS: Final = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")
