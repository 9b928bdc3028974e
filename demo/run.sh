#!/bin/sh
# Starts the shop with the demo data and prints a link into the back office. Ctrl-C stops it.
# usage: demo/run.sh TRADEWIND   (the program's path; `make run` gives it)
set -eu
tradewind=$1
export TRADEWIND__DEMO="${TRADEWIND__DEMO:-true}"
owner=${OWNER:-owner@example.com}

"$tradewind" serve &
server=$!
# Ctrl-C reaches the server by itself; a plain kill of this script is passed on. Either way the server drains, and we wait for it.
trap ':' INT
trap 'kill -TERM "$server" 2>/dev/null || :' TERM HUP

finish() {
    status=0
    while kill -0 "$server" 2>/dev/null; do wait "$server" && status=0 || status=$?; done
    exit "$status"
}

until "$tradewind" ready --within 1 >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { wait "$server" || exit $?; exit 1; }
done
kill -0 "$server" 2>/dev/null || { wait "$server" || exit $?; exit 1; }
"$tradewind" seed --from "$(dirname "$0")" || { kill -TERM "$server" 2>/dev/null || :; wait "$server" || :; exit 1; }
echo
"$tradewind" staff invite "$owner" || :
echo
echo "Ctrl-C stops the shop. Its data stays in ${TRADEWIND__DATA_DIR:-./data}."
finish
