from __future__ import annotations

import shutil
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from otel_meta.cli.demo.on_call import otel_meta, page_text
from otel_meta.cli.demo.webhook_receiver import Notification

PAGE = Notification(
    labels={"alertname": "SloErrorBudgetBurnFast"},
    annotations={
        "summary": "shop burns its error budget fast",
        "description": f"Bad events: {'10% over 5m, ' * 20}end.",
        "runbook_url": "file:///tmp/runbooks/shop.md#shop-orders",
        "dashboard_url": "/d/slo",
    },
    status="firing",
)


class TestPageText:
    def test_commands_and_links_are_whole_lines(self) -> None:
        """Commands and the link to the runbook stand on lines of their own, to be copied."""
        lines = page_text(PAGE, ["otel-meta slo", "otel-meta explain x"]).splitlines()

        assert "        Runbook: file:///tmp/runbooks/shop.md#shop-orders" in lines
        assert ["          otel-meta slo", "          otel-meta explain x"] == lines[-2:]

    def test_description_is_wrapped_without_loss(self) -> None:
        """The description is wrapped to the width of a terminal, and complete."""
        lines = page_text(PAGE, []).splitlines()
        words = " ".join(line.strip() for line in lines)

        assert PAGE.annotations["description"] in words
        assert 100 >= max(map(len, lines))


class TestOtelMeta:
    def test_command_of_this_installation_has_its_short_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The command that a shell finds is named if it is this installation's."""
        own = str(Path(sys.executable).with_name("otel-meta"))
        monkeypatch.setattr(shutil, "which", Mock(return_value=own))

        assert "otel-meta" == otel_meta()

    @pytest.mark.parametrize("found", [None, "/usr/local/bin/otel-meta"])
    def test_another_command_is_not_named(
        self, found: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without this command in the path, the interpreter starts the program."""
        monkeypatch.setattr(shutil, "which", Mock(return_value=found))

        assert f"{sys.executable} -m otel_meta" == otel_meta()
