#!/usr/bin/env bash
# Runs before `npm test`: installs the system packages that tests in the tree need. Most need none: the embedded store is
# part of Node, and tests bring their own sockets, files and processes.
set -euo pipefail

needed=()
# need COMMAND PACKAGE: a test in the tree runs COMMAND, which comes with PACKAGE.
need() { command -v "$1" >/dev/null 2>&1 || needed+=("$2"); }
# Opus is judged by libopus' own tools.
need opusenc opus-tools
need opusdec opus-tools
# Files of any kind are read by it.
need ffmpeg ffmpeg
# The registry of a region lives in Redis; tests start one of their own.
need redis-server redis-server
# The store runs on PostgreSQL too; tests start one of their own. Debian keeps its programs out of PATH, by version.
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need initdb postgresql
# The alerts are judged by promtool. It comes with the server, which Debian starts: no test needs that.
need promtool prometheus

[ ${#needed[@]} -eq 0 ] && exit 0
install=(apt-get install -y --no-install-recommends "${needed[@]}")
if [ "$(id -u)" -ne 0 ]; then
  echo "The tests need packages of the system. Run: sudo ${install[*]}" >&2
  exit 1
fi
echo "Installing what the tests need: ${needed[*]}"
apt-get update -qq
"${install[@]}"
