"""Where claimed drops go: `accepted/<order>/` or `rejected/` with a `.reason.txt` beside them.

Every step may be cut off by a crash and is then done again for the same claim; nothing is overwritten.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from core.domain.findings import Finding
from core.domain.text import clean
from core.domain.words import Verdict
from core.ingest.claim import Claim, release, reserve
from core.ingest.files import fsync_folder, kept_name, move, write_durable

REASON = ".reason.txt"
_MAX_SUFFIX = 10_000


def keep_accepted(site: Path, claim: Claim, order_dir_name: str) -> str:
    """Move an accepted drop to `accepted/<order_dir_name>/`; answers that path relative to the site."""
    parent = site / "accepted"
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = kept_name(order_dir_name)
    if not claim.kept_at.startswith("accepted/"):
        free = next(name for name in _numbered(wanted) if _usable(parent / name))
        claim = reserve(claim, f"accepted/{free}")
    folder = site / claim.kept_at
    folder.mkdir(exist_ok=True, mode=0o700)
    fsync_folder(parent)
    if os.path.lexists(claim.path):
        move(claim.path, folder / claim.path.name)
    release(claim)
    return claim.kept_at


def reserve_rejected(site: Path, claim: Claim) -> Claim:
    """Settle under which name a drop will lie in `rejected/`; the same answer after a restart.

    `kept_at` of the answer belongs into the command that is committed before `keep_rejected` moves anything.
    """
    if claim.kept_at.startswith("rejected/"):
        return claim
    parent = site / "rejected"
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = kept_name(claim.path.name)
    for name in _numbered(wanted):
        if not os.path.lexists(parent / name) and not os.path.lexists(parent / (name + REASON)):
            return reserve(claim, f"rejected/{name}")
    raise FileExistsError(f"no free name for {wanted}")


def keep_rejected(site: Path, claim: Claim, findings: tuple[Finding, ...]) -> str:
    """Move a refused drop to `rejected/` with the reasons beside it; answers its path relative to the site."""
    claim = reserve_rejected(site, claim)
    if os.path.lexists(claim.path) and os.path.lexists(site / claim.kept_at):
        claim = reserve_rejected(site, reserve(claim, ""))  # somebody put a file of that name there meanwhile
    target = site / claim.kept_at
    write_durable(target.with_name(target.name + REASON), reason_text(claim, findings).encode())
    if os.path.lexists(claim.path):
        move(claim.path, target)
    release(claim)
    return claim.kept_at


def reason_text(claim: Claim, findings: tuple[Finding, ...]) -> str:
    """The findings as plain text for people, the worst first."""
    when = datetime.fromtimestamp(claim.claimed_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"{clean(claim.path.name)}", f"dropped {when} · {claim.drop_id}", ""]
    ordered = sorted(findings, key=lambda finding: finding.severity is not Verdict.FAIL)
    for finding in ordered:
        where = f" ({clean(finding.where)})" if finding.where else ""
        lines.append(
            f"{'NO' if finding.severity is Verdict.FAIL else 'NOTE'}  {clean(finding.what, 500)}{where}"
        )
        lines.append(f"    Why it matters: {clean(finding.why, 500)}")
        lines.append(f"    What to do:     {clean(finding.fix, 500)}")
        if finding.kiln_can:
            lines.append(f"    What Kiln does: {clean(finding.kiln_can, 500)}")
        lines.append(f"    Code:           {clean(finding.code, 60)}")
        lines.append("")
    if not ordered:
        lines += ["No reason was given.", ""]
    return "\n".join(lines)


def _numbered(wanted: str) -> Iterator[str]:
    """`bracket.stl`, `bracket-2.stl`, `bracket-3.stl` …"""
    stem, dot, ending = wanted.rpartition(".")
    if not dot or not stem:
        stem, dot, ending = wanted, "", ""
    yield wanted
    for number in range(2, _MAX_SUFFIX):
        yield f"{stem}-{number}{dot}{ending}"


def _usable(folder: Path) -> bool:
    """Free, or an empty folder that an interrupted attempt of ours left."""
    if not os.path.lexists(folder):
        return True
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
