#!/bin/bash
# What needs a CUDA GPU, in pieces of some minutes each: gpu.sh OUTPUT DATA [tests nccl steps peers finetune pair]
output=$1 data=$2
shift 2
python=${PYTHON:-python} here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$output"
export PYTHONPATH="$here/../..${PYTHONPATH:+:$PYTHONPATH}"
cd "$here/../.." || exit 2
pairs="$data/octa_scp_repeat_visits"
failed=0
for piece in ${*:-tests nccl steps peers finetune pair}; do
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
    *) echo "no such piece: $piece" && false ;;
    esac || { echo "== $piece failed"; failed=1; }
done
exit $failed
