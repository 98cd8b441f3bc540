#!/bin/sh
# One server of the cluster: sh server.sh PORT [FLAG...]
# The bucket is $S3_BUCKET, at $S3_ENDPOINT unless it is AWS; Redis is $REDIS_URL. AWS_* says who we are.
set -eu
: "${S3_BUCKET:?is the bucket for the uploads}"
export REDIS_URL="${REDIS_URL:-redis://127.0.0.1:6379}"
port=$1
shift
exec node "$(dirname "$0")/../../dist/cli/main.js" -host 127.0.0.1 -port "$port" -base-path /files/ -behind-proxy \
  -s3-bucket "$S3_BUCKET" -s3-endpoint "${S3_ENDPOINT:-}" -locker redis "$@"
