"""Decisions about Plates: composing, slicing, queueing, reprinting."""

from msgspec.structs import replace

from core.domain import commands as cmd
from core.domain import events as ev
from core.domain.objects import Intent, Plan, Plate, PlateItem
from core.domain.words import DecisionOutcome, ItemResult, PlateState, RunState, Verdict
from core.kernel.transaction import Blocked, Refused, Transaction


def draft_plates(tx: Transaction, intent: Intent, plans: list[Plan], *, dispatch: bool) -> None:
    """Compose the Plates of an Order: instances that share a recipe lie together; ready G-code goes one by one."""
    items = {item.item_id: item for item in intent.items}
    groups: dict[tuple[str, ...], list[PlateItem]] = {}
    for plan in plans:
        item = items[plan.item_id]
        for instance in range(1, item.quantity + 1):
            key: tuple[str, ...] = (
                plan.kind,
                plan.model_id or "",
                plan.profile_ref or "",
                item.material or "",
                item.color or "",
            )
            if plan.kind == "gcode":
                key = (*key, plan.plan_id, str(instance))
            made = PlateItem(
                item_id=tx.ids.new("part"),
                line_item_id=item.item_id,
                plan_id=plan.plan_id,
                plan_revision=plan.revision,
                intent_id=intent.intent_id,
                instance=instance,
                name=item.name,
            )
            groups.setdefault(key, []).append(made)
    for parts in groups.values():
        draft_plate(tx, tuple(parts), dispatch=dispatch)


def draft_plate(
    tx: Transaction, items: tuple[PlateItem, ...], *, dispatch: bool, reprint_of: str | None = None
) -> str:
    """One Plate of these instances; slicing is asked for, or its ready G-code is pinned at once."""
    plan = tx.plan(items[0].plan_id)
    plate_id = tx.ids.new("plate")
    ready = plan.kind == "gcode"
    tx.emit(
        "plate",
        plate_id,
        ev.PlateDrafted(
            number=tx.number("plates"),
            items=items,
            model_id=plan.model_id,
            dispatch=dispatch,
            gcode=plan.gcode if ready else None,
            gate=plan.gate if ready else None,
            reprint_of=reprint_of,
        ),
    )
    if ready:
        _approve_plate(tx, plate_id)
    elif tx.world.policy is None or tx.world.policy.auto_slice:
        _request_slice(tx, plate_id, attempt=1)
    return plate_id


def _request_slice(tx: Transaction, plate_id: str, attempt: int) -> None:
    tx.emit("plate", plate_id, ev.SlicingRequested(attempt=attempt))
    tx.effect("slice", "plate", plate_id)


def retry_slice(tx: Transaction, c: cmd.RetrySlice) -> None:
    """Slice once more after a failure."""
    plate = tx.plate(c.plate_id)
    if plate.state is not PlateState.DRAFT or plate.slice.state not in ("failed", "none"):
        raise Refused("NOT_WAITING", "This is not waiting to be sliced.")
    _request_slice(tx, plate.plate_id, plate.slice.attempt + 1)


def slice_done(tx: Transaction, c: cmd.SliceDone) -> None:
    """The product is there and passed its gate: exact instances, layout and G-code are pinned."""
    plate = tx.plate(c.plate_id)
    tx.settle("slice", plate.plate_id)
    if plate.state is not PlateState.DRAFT:
        raise Refused("NOT_WAITING", "This Plate does not wait for the slicer any more.")
    if c.gate.sha256 not in ("", c.gcode.sha256):
        raise Refused("NOT_GATED", "The G-code gate read another file than this one.")
    if c.gate.verdict is Verdict.FAIL:
        raise Refused("UNSAFE_GCODE", "The G-code gate refused the slicer's product.")
    tx.emit(
        "plate",
        plate.plate_id,
        ev.Sliced(
            key=c.key,
            gcode=c.gcode,
            gate=c.gate,
            layout=c.layout,
            warnings=c.warnings,
            seconds=c.seconds,
        ),
    )
    for plan_id in dict.fromkeys(item.plan_id for item in plate.items):
        plan = tx.plan(plan_id)
        if plan.mesh is not None:
            stored = ev.ArtifactStored(child=c.gcode, parent=plan.mesh.sha256, how="slice")
            tx.emit("plate", plate.plate_id, stored)
    _approve_plate(tx, plate.plate_id)


def slice_failed(tx: Transaction, c: cmd.SliceFailed) -> None:
    """No product: what the slicer said stays in front of a person."""
    plate = tx.plate(c.plate_id)
    tx.settle("slice", plate.plate_id, "failed")
    if plate.state is not PlateState.DRAFT:
        raise Refused("NOT_WAITING", "This Plate does not wait for the slicer any more.")
    tx.emit("plate", plate.plate_id, ev.SliceFailed(key=c.key, code=c.code, message=c.message))


def split_plate(tx: Transaction, c: cmd.SplitPlate) -> None:
    """Not everything fits one bed: some instances stay, the others get Plates of their own."""
    plate = tx.plate(c.plate_id)
    every = [item.item_id for item in plate.items]
    told = [*c.keep, *(item_id for group in c.rest for item_id in group)]
    if plate.state is not PlateState.DRAFT or sorted(told) != sorted(every) or not c.keep:
        raise Refused("BAD_SPLIT", "The split does not hold exactly the instances of this Plate.")
    by_id = {item.item_id: item for item in plate.items}
    tx.emit("plate", plate.plate_id, ev.PlateSplit(keep=c.keep))
    for group in c.rest:
        items = tuple(by_id[item_id] for item_id in group)
        draft_plate(tx, items, dispatch=plate.dispatch, reprint_of=plate.reprint_of)


def _approve_plate(tx: Transaction, plate_id: str) -> None:
    plate = tx.plate(plate_id)
    if plate.gcode is None:
        raise Refused("NO_GCODE", "There is no G-code to pin.")
    approved = tx.emit("plate", plate_id, ev.PlateApproved(gcode_sha256=plate.gcode.sha256))
    # without a readable policy the attempt waits for a person's release; that is decided where it is dispatched
    if plate.dispatch and isinstance(approved, Plate):
        queue_run(tx, approved, None)


def queue_plate(tx: Transaction, c: cmd.QueuePlate) -> None:
    """A person queues a Print Attempt of an approved Plate."""
    plate = tx.plate(c.plate_id)
    if plate.state is not PlateState.APPROVED:
        raise Refused("NOT_APPROVED", "This is not ready to be printed yet.")
    if not tx.any_open(plate.intent_ids):
        raise Refused("ORDER_CLOSED", "Its Order is closed; nothing is started for it any more.")
    for run in tx.runs_of(plate.plate_id):
        if not run.state.terminal:
            raise Refused("ALREADY_QUEUED", "A Print Attempt of this is queued or under way already.")
        if run.reprinted_by or any(o.result is ItemResult.SUCCESS for o in run.outcomes):
            raise Refused(
                "ALREADY_MADE", "Parts of this Plate are good already; reprint only the failed ones."
            )
    if c.printer_id is not None:
        tx.printer(c.printer_id)
    queue_run(tx, plate, c.printer_id)


def queue_run(tx: Transaction, plate: Plate, printer_id: str | None) -> str:
    """A new Print Attempt of a Plate waits for a printer."""
    if plate.gcode is None:
        raise Refused("NO_GCODE", "There is no G-code to print.")
    run_id = tx.ids.new("run")
    tx.emit(
        "run",
        run_id,
        ev.RunQueued(
            plate_id=plate.plate_id,
            number=tx.number("runs"),
            intent_ids=plate.intent_ids,
            gcode=plate.gcode,
            model_id=plate.model_id,
            pinned_printer=printer_id,
            queued_at=tx.now.wall_s,
            item_ids=tuple(item.item_id for item in plate.items),
        ),
    )
    tx.made["run"] = run_id
    return run_id


def reprint_failed(tx: Transaction, c: cmd.ReprintFailed) -> None:
    """A Plate of exactly the failed instances of an attempt; each names the part it replaces."""
    run = tx.run(c.run_id)
    plate = tx.plate(run.plate_id)
    if run.reprinted_by is not None:
        raise Refused("ALREADY_REPRINTED", "The failed parts of this attempt are being made again already.")
    failed = {o.item_id for o in run.outcomes if o.result is not ItemResult.SUCCESS}
    sources = [item for item in plate.items if item.item_id in failed]
    sources = [item for item in sources if tx.intent(item.intent_id).open]
    if not run.state.terminal or not sources:
        raise Refused("NOTHING_FAILED", "No part of this attempt is marked failed for an open Order.")
    ruling = tx.decide("AutoReprint", "run", run.run_id, {"attempts": str(_depth(tx, plate))})
    if ruling.outcome is not DecisionOutcome.ALLOW:
        raise Blocked("POLICY", *ruling.explanations)
    items = tuple(replace(item, item_id=tx.ids.new("part"), source_item=item.item_id) for item in sources)
    groups = [(item,) for item in items] if tx.plan(items[0].plan_id).kind == "gcode" else [items]
    made = [draft_plate(tx, group, dispatch=True, reprint_of=run.run_id) for group in groups]
    tx.emit(
        "run",
        run.run_id,
        ev.ReprintCreated(plate_id=made[0], items=tuple(item.item_id for item in items)),
    )
    tx.made["plate"] = made[0]


def _depth(tx: Transaction, plate: Plate) -> int:
    """How many attempts led to this Plate, itself included."""
    depth = 1
    while plate.reprint_of is not None and depth < 100:
        plate = tx.plate(tx.run(plate.reprint_of).plate_id)
        depth += 1
    return depth


def attempts_so_far(tx: Transaction, plate: Plate) -> int:
    """Attempts of these parts that ended, over reprints too."""
    ended = sum(1 for r in tx.runs_of(plate.plate_id) if r.state in (RunState.COMPLETED, RunState.FAILED))
    return _depth(tx, plate) - 1 + ended
