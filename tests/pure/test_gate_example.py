"""Ready G-code on a site without printers: a model that nobody has is said to be an example."""

from core.controllers.ingest import for_example
from core.domain.findings import Finding
from core.domain.words import Verdict


def test_a_model_that_nobody_has_is_an_example() -> None:
    wrong = Finding(
        code="WRONG_PRINTER",
        severity=Verdict.FAIL,
        what="This printer is a Mini.",
        why="It can crash.",
        fix="Slice.",
    )
    other = Finding(code="X", severity=Verdict.WARN, what="No layers are marked.", why="", fix="")
    said = for_example((wrong, other), "Mini")
    assert said[0].what == "No printer is added yet; on a Mini, for example: This printer is a Mini."
    assert said[1] == other
