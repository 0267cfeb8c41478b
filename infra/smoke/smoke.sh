#!/usr/bin/env bash
# smoke.sh PAGE [API]    ask a running app for a real digit; API is the same address as PAGE unless given
# API_KEY                sent with the digit when set
# RETRIES                how often to ask again, 3 seconds apart, before giving up
set -euo pipefail
page=${1:?usage: smoke.sh PAGE [API]} api=${2:-$1}
here=$(cd "$(dirname "$0")" && pwd)
ask() { curl --silent --show-error --fail-with-body --max-time 20 --retry "${RETRIES:-10}" --retry-all-errors --retry-delay 3 "$@"; }

ask --output /dev/null "$page/_stcore/health"
echo "page: healthy"
ask --output /dev/null "$api/health/ready"
echo "api: ready"

answer=$(ask ${API_KEY:+--header "X-API-Key: $API_KEY"} --form "file=@$here/seven.png" "$api/predict/")
echo "a seven: $answer"
grep -Eq '"predicted_digit": ?7\b' <<<"$answer"

# Without a websocket the page stays empty. curl holds the open socket until its time is up.
status=$(curl --silent --http1.1 --max-time 5 --output /dev/null --write-out '%{http_code}' \
  --header 'Connection: Upgrade' --header 'Upgrade: websocket' --header "Origin: $page" \
  --header 'Sec-WebSocket-Version: 13' --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
  "$page/_stcore/stream") || true
echo "websocket: $status"
[ "$status" = 101 ]
