#!/bin/bash
# What needs a CUDA GPU, in pieces of less than ten minutes each: gpu.sh OUTPUT DATA [PIECE ...]
#   tests nccl steps peers finetune pair folder   the default
#   real                                   2000 epochs on real pairs, the rows of Table 1 that adapt
#   pretrain reptile table                 the paper's own lengths, 6k and 23k updates of the task's loss, then Table 1 on bed S at 2000 epochs
# The last four stop after SECONDS_A_PIECE (540) and go on when they are called again; they end with 75 while they are not done.
# DEVICE and WORKERS change where they compute and how many processes draw pairs.
output=$1 data=$2
shift 2
python=${PYTHON:-python} here=$(cd "$(dirname "$0")" && pwd)
device=${DEVICE:-cuda} workers=${WORKERS:-6} limit=${SECONDS_A_PIECE:-540}
mkdir -p "$output"
export PYTHONPATH="$here/../..${PYTHONPATH:+:$PYTHONPATH}"
cd "$here/../.." || exit 2
pairs="$data/octa_scp_repeat_visits"
tasks=Resources/Tasks/source_tasks.toml
failed=0

some() {  # a part of a long command, which saves itself when it is told to stop
    timeout -s INT -k 60 "$limit" "$python" -m MetaRegistrationLib "$@" --device "$device" --resume
    case $? in
    0) ;;
    124 | 137) echo "== not done: call it again" && failed=75 ;;  # 137: it did not stop in time; its last save is half a minute old
    *) return 1 ;;
    esac
}

long_rows() { some reproduce --data "$data" --rows not_deformed transfer fine_tune ours --epochs 10 2000 --seeds 1 --set watch_every_later=10 "$@"; }

for piece in ${*:-tests nccl steps peers finetune pair folder}; do
    echo "== $piece"
    case $piece in
    tests) "$python" -m pytest -q -rs Testing/Library/test_cuda_graph.py Testing/Library/test_alignment.py ;;
    nccl) "$python" -m torch.distributed.run --nproc_per_node=1 "$here/gpu_nccl.py" ;;
    steps) "$python" "$here/gpu_steps.py" --json "$output/steps.json" ;;
    peers) "$python" "$here/step_time.py" --devices cuda --json "$output/peers.json" ;;
    finetune)
        rm -rf "$output/finetuned" "$output/all" && cp -r "$pairs" "$output/all" && sed -i 's/,\(fine_tune\|test\),/,fine_tune,/' "$output/all/pairs.csv"
        time "$python" -m MetaRegistrationLib finetune --pairs "$output/all" --output "$output/finetuned" --epochs 10 \
            --no-validation --device cuda --json | grep -E '"(started|finished|message|failed)"' | cut -c1-300
        ;;
    pair)
        "$python" "$here/gpu_pair.py" "$pairs/$(sed -n 2p "$pairs/pairs.csv" | cut -d, -f 1)" "$pairs/$(sed -n 2p "$pairs/pairs.csv" | cut -d, -f 2)" \
            --json "$output/pair.json"
        ;;
    folder) "$python" "$here/gpu_folder.py" "$pairs" --device "$device" --batch 1 16 64 --json "$output/folder.json" ;;
    real)
        long_rows --output "$output/plain" --network voxelmorph --initial none --bed R --plain &&
            { [ $failed = 75 ] || long_rows --output "$output/guided" --bed R; }
        ;;
    pretrain) some pretrain --tasks $tasks --data "$data" --output "$output/pretrained" --steps 6000 --workers "$workers" ;;
    reptile)
        some metatrain --tasks $tasks --data "$data" --checkpoint "$output/pretrained/best.pt" --output "$output/meta" --steps 23000 \
            --workers "$workers"
        ;;
    table)
        long_rows --output "$output/table" --network voxelmorph --initial none --bed S --rows not_deformed seen unseen transfer fine_tune ours \
            --scale full --pretrained voxelmorph="$output/pretrained/best.pt" --meta voxelmorph="$output/meta/best.pt"
        ;;
    *) echo "no such piece: $piece" && false ;;
    esac || { echo "== $piece failed"; failed=1; }
    [ $failed = 75 ] && break
done
exit $failed
