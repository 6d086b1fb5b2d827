"""``python -m core.workers FD MODULE…``: the fork server of a `WorkerPool`; not for people."""

import sys

from core.workers.server import main

main(sys.argv[1:])
