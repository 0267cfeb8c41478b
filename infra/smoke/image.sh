#!/usr/bin/env bash
# image.sh IMAGE    start an image as Fargate does, ask it for a digit, and stop it
set -euo pipefail
image=${1:?usage: image.sh IMAGE}
here=$(cd "$(dirname "$0")" && pwd)
container=$(docker run --detach --read-only --tmpfs /tmp --cap-drop ALL --user 10001 --cpus 0.5 --memory 1g \
  --publish 127.0.0.1::8000 --publish 127.0.0.1::8501 "$image")
end() { [ $? = 0 ] || docker logs "$container"; docker rm --force "$container" >/dev/null; }
trap end EXIT

"$here/smoke.sh" "http://$(docker port "$container" 8501)" "http://$(docker port "$container" 8000)"
docker exec "$container" python -m app.healthcheck
echo "its own check: healthy"
docker stop --timeout 30 "$container" >/dev/null
code=$(docker inspect --format '{{.State.ExitCode}}' "$container")
echo "stopped: code $code"
[ "$code" = 0 ]
