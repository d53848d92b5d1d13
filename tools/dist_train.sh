#!/usr/bin/env bash
# Train in several processes: tools/dist_train.sh CONFIG GPUS [options]
# More machines: NNODES, NODE_RANK, MASTER_ADDR and PORT.
if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [options of tools/train.py]" >&2
    exit 2
fi
CONFIG=$1
GPUS=$2
shift 2
HERE=$(cd "$(dirname "$0")" && pwd)

PYTHONPATH="$HERE/..:$PYTHONPATH" \
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --nproc_per_node="$GPUS" \
    --master_port="${PORT:-29500}" \
    "$HERE/train.py" "$CONFIG" --launcher pytorch "$@"
