# Set-up shared by scripts/demo and scripts/test; sourced, not run.
#
# Everything that Python needs goes into .venv/ of this folder. Programs of the distribution are installed
# with apt where that is permitted; where it is not, the line says what is missing and what follows from it.
# Quick when nothing changed: a stamp holds the hash of what was asked for.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
venv=.venv

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
plain_terminal() { [ ! -t 2 ] || [ -n "${NO_COLOR:-}" ] || [ "${TERM:-dumb}" = dumb ]; }
if plain_terminal; then say() { printf '==> %s\n' "$*" >&2; }; fi

# Whether commands can be run as root: as we are, or with sudo, which may ask for a password at a terminal.
get_root() {
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null && return 0
  if [ ! -t 0 ] || [ ! -t 2 ] || [ -n "${KILN_NO_SUDO:-}" ]; then return 1; fi
  say "sudo asks for your password to install packages of the distribution; Ctrl-C goes on without them"
  local code=0
  trap 'true' INT
  sudo -v || code=$?
  trap - INT
  return $code
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_fresh=
# apt_install WHY PACKAGE…: false when apt or the permission is missing, or the installation failed.
apt_install() {
  local why=$1 log
  shift
  command -v apt-get >/dev/null || return 1
  get_root || return 1
  log=$(mktemp)
  say "installing with apt: $* ($why)"
  if [ -z "$apt_fresh" ] && ! as_root apt-get update -qq >"$log" 2>&1; then
    say "apt-get update did not work; trying with the package lists that are there"
  fi
  apt_fresh=1
  if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 3 "$log" >&2
  rm -f "$log"
  return 1
}

has_package() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# The first Python of 3.11 or newer, the distribution's own python3 first.
find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

make_venv() {
  local python
  python=$(find_python) || {
    apt_install "Python" python3 python3-venv python3-pip && python=$(find_python)
  } || {
    say "Python 3.11 or newer is needed and was not found. On Debian 12 or newer: apt-get install python3 python3-venv"
    exit 1
  }
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    apt_install "Python's own environments" python3-venv || {
      say "Python's venv is missing. Ask for: apt-get install python3-venv"
      exit 1
    }
  fi
  say "making a Python environment of its own in $venv/ (nothing is installed outside it)"
  "$python" -m venv --clear "$venv"
}

# install_python WHAT: WHAT is "run" or "test"; the latter includes the former.
install_python() {
  local what=$1 target=. hash
  [ "$what" = test ] && target=".[test]"
  mkdir -p .cache
  exec 9>.cache/setup.lock
  if command -v flock >/dev/null && ! flock -n 9; then
    say "another set-up is at work in this folder; waiting for it"
    flock 9
  fi
  # The interpreter and the place count too: an environment works neither under another Python nor moved.
  hash=$({ cat pyproject.toml constraints.txt; pwd; python3 --version 2>&1; } | sha256sum | cut -c1-40)
  if [ "$(cat "$venv/.kiln-$what" 2>/dev/null)" = "$hash" ] && "$venv/bin/python" -c 'import textual' 2>/dev/null; then
    exec 9>&-
    return 0
  fi
  "$venv/bin/python" -c 'import pip' 2>/dev/null || make_venv
  say "installing the Python packages of constraints.txt into $venv/ (a minute or two the first time)"
  local log=.cache/pip.log
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
    -c constraints.txt -e "$target" >"$log" 2>&1 || {
    grep -v '^WARNING' "$log" | tail -n 15 >&2
    say "pip could not install the packages; the lines above say why (all of it: $log). Run it again to go on."
    exit 1
  }
  [ "$what" = test ] && echo "$hash" >"$venv/.kiln-run"
  echo "$hash" >"$venv/.kiln-$what"
  exec 9>&-
}

# A slicer from the distribution, if it may be installed; true when there is one afterwards.
slicer_from_apt() {
  command -v prusa-slicer >/dev/null && return 0
  apt_install "the slicer, 0.8 GB of disk, under a minute" prusa-slicer && command -v prusa-slicer >/dev/null
}
