"""Add a printer by its address: try it first, and ask only for what cannot be found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget
from textual.widgets import Input

from core.client.views import ProbeView
from core.domain.text import clean
from kiln_tui.commands import Command
from kiln_tui.presentation.probe import form_lines
from kiln_tui.presentation.text import Line
from kiln_tui.screens.pick import Entry, Pick
from kiln_tui.screens.sheet import Sheet
from kiln_tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from kiln_tui.app import KilnApp

FIELDS = ("address", "secret", "name")
_ASKS = {
    "address": "http://octopi.local or 192.168.1.20",
    "secret": "API key (never shown, kept in a file only you can read)",
    "name": "a short name, as you call it in the shop",
}


class AddPrinterSheet(Sheet):
    """Address, key, then what the probe says step by step; then name, model, material."""

    GUARDED: ClassVar[bool] = True
    TYPES: ClassVar[bool] = True

    def __init__(self, kiln: KilnApp) -> None:
        super().__init__(kiln)
        self.values = dict.fromkeys(FIELDS, "")
        self.field = "address"
        self.probe: ProbeView | None = None
        self.probing = False
        self.model: tuple[str, str] | None = None
        self.material = ""
        self.input = TypedLine(placeholder=_ASKS["address"], max_length=300)

    def more(self) -> Sequence[Widget]:
        """One line to type into."""
        return (self.input,)

    def more_height(self) -> int:
        """The line, while something is asked for."""
        return 1 if self.input.display else 0

    def opened(self) -> None:
        """Ready to type."""
        self.type_into(self.input)

    def lines(self) -> Sequence[Line]:
        """What was said so far, and what the probe found."""
        return form_lines(
            self.values,
            self.field,
            self.probe,
            self.probing,
            self.model[1] if self.model else "",
            self.material,
            self.kiln.look(),
        )

    def _ask(self, field: str) -> None:
        self.field = field
        self.anew()
        typed = field in FIELDS
        self.input.display = typed
        if typed:
            self.input.password = field == "secret"
            self.input.placeholder = _ASKS[field]
            self.input.value = self.values[field]
            self.input.focus()
        else:
            self.set_focus(None)
        self.refresh_sheet()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next question."""
        event.stop()
        value = event.value.strip()
        if not value and self.field != "secret":
            return
        self.values[self.field] = value if self.field == "secret" else clean(value, 300)
        match self.field:
            case "address":
                self._ask("secret")
            case "secret":
                self._try()
            case _:
                self._pick_model()

    def _try(self) -> None:
        self.probe, self.probing = None, True
        self._ask("probe")
        self.run_worker(self._probe(), group="probe", exclusive=True)

    async def _probe(self) -> None:
        self.probe = await self.kiln.ask(
            self.kiln.client.probe(self.values["address"], self.values["secret"])
        )
        self.probing = False
        if self.probe is not None and self.probe.ok:
            self.values["name"] = self.values["name"] or self.probe.suggested_name
            self._ask("name")
        else:
            self._ask("failed")

    def _pick_model(self) -> None:
        self._ask("model")
        self.run_worker(self._models(), group="probe", exclusive=True)

    async def _models(self) -> None:
        models = await self.kiln.ask(self.kiln.client.models()) or ()
        entries = [Entry(model_id, name, model_id) for model_id, name in models]

        def picked(model_id: str) -> None:
            self.model = next(((key, name) for key, name in models if key == model_id), None)
            self._ask("material")
            self._pick_material()

        self.kiln.open(Pick(self.kiln, "Which model is it?", entries, picked), self)

    def _pick_material(self) -> None:
        self.run_worker(self._materials(), group="probe", exclusive=True)

    async def _materials(self) -> None:
        entries = [Entry("", "I'll say later", "nothing is started until it is said")]
        entries += [Entry(name, name) for name in await self.kiln.ask(self.kiln.client.materials()) or ()]

        def picked(material: str) -> None:
            self.material = material
            self._ask("ready")

        self.kiln.open(Pick(self.kiln, "What is loaded in it?", entries, picked), self)

    def sheet_commands(self) -> Sequence[Command]:
        """What Enter does at this step."""
        match self.field:
            case "failed":
                return (
                    Command(key="enter", label="Try again", run=self._try),
                    Command(key="a", label="Change the address", run=lambda: self._ask("address")),
                    Command(key="s", label="Change the key", run=lambda: self._ask("secret")),
                )
            case "model":
                return (Command(key="enter", label="Choose the model", run=self._pick_model),)
            case "material":
                return (
                    Command(
                        key="enter",
                        label="Choose the material",
                        run=self._pick_material,
                    ),
                )
            case "ready":
                return (
                    Command(key="enter", label="Add it", run=self._add),
                    Command(key="e", label="Change the name", run=lambda: self._ask("name")),
                )
            case "probe" | "sent":
                return ()
            case _:
                return (Command(key="enter", label="Next", run=self._submit),)

    def _submit(self) -> None:
        self.post_message(Input.Submitted(self.input, self.input.value))

    def _add(self) -> None:
        if self.model is not None and self.probe is not None:
            self.field = "sent"  # one printer, however often the key comes
            self.refresh_sheet()
            self.run_worker(self._added(self.probe.adapter, self.model[0]), group="send")

    async def _added(self, adapter: str, model_id: str) -> None:
        result = await self.kiln.ask(
            self.kiln.client.add_printer(
                name=self.values["name"],
                adapter=adapter,
                address=self.values["address"],
                model_id=model_id,
                secret=self.values["secret"],
                material=self.material,
            )
        )
        if result is None:
            return
        if result.refusal is not None:
            reasons = result.refusal.reasons or (result.refusal.code,)
            self.kiln.say(f"Not added: {reasons[0]}", "alert", reasons)
            self._ask("ready")
            return
        self.close()
        self.kiln.say(f"{self.values['name']} is added. Kiln watches it from now on.", "ok")
        self.kiln.go("printers")
