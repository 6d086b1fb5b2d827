"""What concerns the site as a whole: standing approvals and the cores that worked on it."""

import msgspec
from msgspec.structs import replace

from core.domain import events as ev


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """ "Approve similar for the next X hours": plans within `scope` need no further approval `until` (Unix s)."""

    scope: dict[str, str]
    until: int
    by: str


class SiteState(msgspec.Struct, frozen=True, kw_only=True):
    """The projection of the site's own stream."""

    site_id: str
    version: int = 0
    standing: tuple[Standing, ...] = ()
    incarnation: str = ""


def fold_site(state: SiteState | None, event: ev.Event) -> SiteState:
    """The next state of the site."""
    state = replace(state or SiteState(site_id=event.subject_id), version=event.subject_version)
    match event.body:
        case ev.SiteOpened(incarnation=name):
            return replace(state, incarnation=name)
        case ev.StandingApproval(scope=scope, until=until, by=by):
            now = event.wall_ns // 1_000_000_000
            kept = tuple(s for s in state.standing if s.until > now)
            return replace(state, standing=(*kept, Standing(scope=scope, until=until, by=by)))
    return state
