#!/usr/bin/env bash
# live.sh ADDRESS [SECRET]    smoke.sh with the first of the API keys that Secrets Manager keeps under the ARN SECRET
set -euo pipefail
address=${1:?usage: live.sh ADDRESS [SECRET]} secret=${2:-}
if [ -n "$secret" ]; then
  keys=$(aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text)
  export API_KEY=${keys%%,*}
  [ -z "${GITHUB_ACTIONS:-}" ] || echo "::add-mask::$API_KEY"
fi
exec "$(dirname "$0")/smoke.sh" "$address"
