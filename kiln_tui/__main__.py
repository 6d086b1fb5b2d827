"""The command `kiln-tui`."""

import argparse
import os
import sys
from pathlib import Path

EPILOG = """\
Without a command, the console opens. Files dropped into the inbox become Orders.
Keys: ? help, : commands, 1 Triage, 2 Orders, 3 Build Plan, 5 Printers, 6 Events, q quit.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    from themes.palettes import PALETTES

    themes = tuple(_short(name) for name in PALETTES)
    top = argparse.ArgumentParser(
        prog="kiln-tui",
        description="The operations console for a 3D print farm, in a terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--site", type=Path, help="the site's directory (default: the user's own)")
    top.add_argument(
        "--theme", type=_short, choices=themes, help="the colours; by default what suits the terminal"
    )
    top.add_argument("--ascii", action="store_true", help="icons in plain ASCII")
    top.add_argument("--version", action="store_true", help="print the version and end")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser("demo", help="six simulated printers, generated parts, real slicing")
    demo.add_argument("--name", help="keep this demo under a name, and go on with it next time")
    demo.add_argument("--speed", type=float, default=60.0, help="machine seconds per second (default 60)")
    demo.add_argument("--plain", action="store_true", help="no screens: play the story as text and end")
    drop = commands.add_parser("drop", help="put files or folders into the inbox")
    drop.add_argument("paths", nargs="+", type=Path, metavar="FILE")
    commands.add_parser("serve", help="work without a screen, until stopped")
    verify = commands.add_parser("verify", help="walk the hash chain and compare the tables with the events")
    verify.add_argument("--head", default="", help="a head exported earlier: a cut tail shows too")
    doctor = commands.add_parser("doctor", help="check slicer, terminal, database, printers, disk and clock")
    for with_json in (verify, doctor):
        with_json.add_argument("--json", action="store_true", help="as JSON")
    events = commands.add_parser("events", help="write the event log as JSON lines")
    events.add_argument("--order", type=int, help="only this Order's number")
    slicer = commands.add_parser("slicer", help="the slicer of this site")
    slicer.add_argument("what", choices=["fetch", "show"], help="get it without root, or tell which is used")
    return top


def _short(theme: str) -> str:
    return theme.strip().removeprefix("kiln-")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parser().parse_args(argv)
    if options.version:
        from kiln_tui.cli.site_dir import program_version

        sys.stdout.write(f"kiln-tui {program_version()}\n")
        return 0
    from kiln_tui.cli.site_dir import default_site

    if options.site is not None:
        site = options.site.expanduser().absolute()
    else:
        site = Path(os.environ.get("KILN_SITE") or default_site())
    return _run(options, site)


def _run(options: argparse.Namespace, site: Path) -> int:
    match options.command:
        case None:
            from kiln_tui.cli import console

            code = console.run(site, theme=options.theme, ascii_only=options.ascii or None)
            if code != console.WANTS_DEMO:
                return code
            from kiln_tui.cli import demo

            return demo.open_demo(
                None, demo.DEFAULT_SPEED, theme=options.theme, ascii_only=options.ascii or None
            )
        case "demo":
            from kiln_tui.cli import demo

            return demo.run(options)
        case "serve":
            from kiln_tui.cli import serve

            return serve.run(site)
        case "doctor":
            from kiln_tui.cli import doctor

            return doctor.report(doctor.checks(site), as_json=options.json)
        case _:
            from kiln_tui.cli import tools

            return tools.run(options, site)


if __name__ == "__main__":
    sys.exit(main())
