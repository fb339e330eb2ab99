#!/usr/bin/env python3
"""Makes Tests/CheckpointTests/Fixtures/quantized: one small checkpoint for each published quantized layout, and beside
it what the layout's own reference implementation makes of its matrices.

Codes, zero points and scales are random, so every bit of the layout counts; `expected.safetensors` holds the float32
matrices [outputs, inputs] that the reference multiplies with.

    python -m venv venv
    venv/bin/pip install torch transformers==5.23.0 compressed-tensors==0.20.0 bitsandbytes==0.50.2
    venv/bin/pip download --no-deps auto-gptq==0.7.1 autoawq==0.2.9     # unpacked below --references
    venv/bin/python Tools/make_quantized_goldens.py Tests/CheckpointTests/Fixtures/quantized --references DIR
"""
import argparse
import importlib.util
import json
import pathlib

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import save_file

INPUTS, OUTPUTS = 96, 64


def load(path):
    """A single file of a package whose other parts need a GPU."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(*shape):
    return torch.randint(-2**31, 2**31, shape, dtype=torch.int64).to(torch.int32)


def scales(*shape, dtype=torch.float32):
    return (torch.rand(shape) * 0.05 + 0.001).to(dtype)


def gptq(reference, bits, group, act_order, v2=False):
    module = reference.QuantLinear(bits, group, INPUTS, OUTPUTS, bias=False)
    module.qweight, module.qzeros = words(*module.qweight.shape), words(*module.qzeros.shape)
    module.scales = scales(*module.scales.shape, dtype=torch.float16).float()
    parts = {"qweight": module.qweight, "qzeros": module.qzeros, "scales": module.scales.half()}
    if not act_order:
        return parts, module(torch.eye(INPUTS)).T
    # The reference multiplies groups in order, so its inputs are permuted from outside.
    order = torch.randperm(INPUTS)
    expected = module(torch.eye(INPUTS)).T
    codes = torch.stack([(module.qweight[i * bits // 32] >> (i * bits % 32)) & (2**bits - 1) for i in range(INPUTS)])
    codes = codes[order]
    packed = torch.zeros_like(module.qweight, dtype=torch.int64)
    for i in range(INPUTS):
        packed[i * bits // 32] |= codes[i].long() << (i * bits % 32)
    parts["qweight"] = torch.where(packed >= 2**31, packed - 2**32, packed).to(torch.int32)
    parts["g_idx"] = (order // group).to(torch.int32)
    return parts, expected[:, order]


def gptq_v2(reference, bits, group):
    """Format v2 is v1 with each zero point stored as it is."""
    parts, expected = gptq(reference, bits, group, act_order=False)
    per_word = 32 // bits
    stored = torch.stack([(parts["qzeros"] >> (i * bits)) & (2**bits - 1) for i in range(per_word)]).long()
    packed = sum(((stored[i] + 1) & (2**bits - 1)) << (i * bits) for i in range(per_word))
    parts["qzeros"] = torch.where(packed >= 2**31, packed - 2**32, packed).to(torch.int32)
    return parts, expected


def awq(reference, group):
    qweight, qzeros = words(INPUTS, OUTPUTS // 8), words(INPUTS // group, OUTPUTS // 8)
    scale = scales(INPUTS // group, OUTPUTS, dtype=torch.float16)
    expected = reference.dequantize_gemm(qweight, qzeros, scale.float(), 4, group).T
    return {"qweight": qweight, "qzeros": qzeros, "scales": scale}, expected


def decompress(format, args, parts):
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**args))
    state = BaseCompressor.get_value_from_registry(format).decompress(dict(parts), scheme)
    return state["weight"].float()


def packed_integer(bits, group, symmetric, inputs=INPUTS):
    groups = inputs // group
    parts = {
        "weight_packed": words(OUTPUTS, (inputs * bits + 31) // 32),
        "weight_scale": scales(OUTPUTS, groups),
        "weight_shape": torch.tensor([OUTPUTS, inputs]),
    }
    if not symmetric:
        parts["weight_zero_point"] = words(OUTPUTS * bits // 32, groups)
    args = dict(num_bits=bits, type="int", symmetric=symmetric, strategy="group", group_size=group)
    return parts, decompress("pack-quantized", args, parts)


def int8():
    parts = {"weight": torch.randint(-128, 128, (OUTPUTS, INPUTS), dtype=torch.int8), "weight_scale": scales(OUTPUTS, 1)}
    args = dict(num_bits=8, type="int", symmetric=True, strategy="channel")
    return parts, decompress("int-quantized", args, parts)


def fp8(type):
    codes = torch.arange(OUTPUTS * INPUTS).remainder(256).to(torch.uint8)[torch.randperm(OUTPUTS * INPUTS)]
    codes = codes.reshape(OUTPUTS, INPUTS)
    # No NaN and no infinity: weights have none.
    values = codes.view(type).float()
    codes[~values.isfinite()] = 0
    return codes.view(type)


def fp8_tensor(type=torch.float8_e4m3fn):
    weight, scale = fp8(type), scales(1)
    return {"weight": weight, "weight_scale": scale}, weight.float() * scale


def fp8_channel():
    weight, scale = fp8(torch.float8_e4m3fn), scales(OUTPUTS, 1)
    parts = {"weight": weight, "weight_scale": scale}
    args = dict(num_bits=8, type="float", symmetric=True, strategy="channel")
    return parts, decompress("float-quantized", args, parts)


def fp8_blocks(block):
    """As DeepSeek-V3 publishes; its inference code multiplies each block by its scale. The last blocks are partial."""
    weight = fp8(torch.float8_e4m3fn)
    scale = scales(-(-OUTPUTS // block), -(-INPUTS // block))
    spread = scale.repeat_interleave(block, 0)[:OUTPUTS].repeat_interleave(block, 1)[:, :INPUTS]
    return {"weight": weight, "weight_scale_inv": scale}, weight.float() * spread


def nvfp4():
    parts = {
        "weight_packed": torch.randint(0, 256, (OUTPUTS, INPUTS // 2), dtype=torch.uint8),
        "weight_scale": (torch.rand(OUTPUTS, INPUTS // 16) * 200).to(torch.float8_e4m3fn),
        "weight_global_scale": torch.tensor([437.5]),
    }
    args = dict(num_bits=4, type="float", symmetric=True, strategy="tensor_group", group_size=16)
    reference = decompress("nvfp4-pack-quantized", dict(args, scale_dtype=torch.float8_e4m3fn), parts)
    # The reference rounds to bfloat16 on its way; the golden is the number that it rounds.
    scale = (parts["weight_scale"].float() / parts["weight_global_scale"]).repeat_interleave(16, 1)
    values = torch.tensor([0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6])
    codes = torch.stack([parts["weight_packed"] & 15, parts["weight_packed"] >> 4], -1).reshape(OUTPUTS, INPUTS)
    expected = values[codes.long()] * scale
    assert torch.allclose(expected, reference, rtol=2**-7, atol=0)
    return parts, expected


def modelopt_nvfp4():
    """ModelOpt's spelling of the same numbers: its second scale multiplies."""
    parts, expected = nvfp4()
    return {"weight": parts["weight_packed"], "weight_scale": parts["weight_scale"],
            "weight_scale_2": 1 / parts["weight_global_scale"][0], "input_scale": torch.tensor(0.5)}, expected


def mxfp4():
    parts = {
        "weight_packed": torch.randint(0, 256, (OUTPUTS, INPUTS // 2), dtype=torch.uint8),
        "weight_scale": torch.randint(110, 130, (OUTPUTS, INPUTS // 32), dtype=torch.uint8),
    }
    args = dict(num_bits=4, type="float", symmetric=True, strategy="group", group_size=32, scale_dtype=torch.uint8)
    return parts, decompress("mxfp4-pack-quantized", args, parts)


def bitsandbytes(kind, nested):
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit
    # Rows of whole blocks: the reference's CPU path takes the wrong magnitude where a block spans two rows.
    weight = torch.randn(OUTPUTS, 128)
    codes, state = quantize_4bit(weight, blocksize=64, quant_type=kind, compress_statistics=nested)
    parts = {"weight": codes}
    for name, value in state.as_dict(packed=True).items():
        parts["weight." + name] = value
    return parts, dequantize_4bit(codes, state).float()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--references", type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(1)
    gptq_reference = load(next(options.references.rglob("qlinear_cuda_old.py")))
    awq_reference = load(next(options.references.rglob("packing_utils.py")))
    cases = {
        "gptq-4bit": ("gptq", {}, {
            "four": gptq(gptq_reference, 4, 32, False), "order": gptq(gptq_reference, 4, 32, True),
            "eight": gptq(gptq_reference, 8, 96, False), "three": gptq(gptq_reference, 3, 32, False),
            "two": gptq(gptq_reference, 2, 48, False)}),
        "gptq-v2": ("gptq", dict(checkpoint_format="gptq_v2"), {"four": gptq_v2(gptq_reference, 4, 32)}),
        "awq-gemm": ("awq", dict(version="gemm", bits=4), {"a": awq(awq_reference, 32), "b": awq(awq_reference, 96)}),
        "compressed-integer": ("compressed-tensors", dict(format="pack-quantized"), {
            "symmetric": packed_integer(4, 32, True), "zeros": packed_integer(4, 32, False),
            "eight": packed_integer(8, 32, False), "int8": int8()}),
        "fp8": ("fp8", dict(weight_block_size=[40, 40]), {
            "tensor": fp8_tensor(), "e5m2": fp8_tensor(torch.float8_e5m2), "channel": fp8_channel(),
            "blocks": fp8_blocks(40)}),
        "fp4": ("compressed-tensors", dict(format="mixed-precision"), {"nvfp4": nvfp4(), "mxfp4": mxfp4()}),
        "modelopt": ("modelopt", {}, {"nvfp4": modelopt_nvfp4(), "fp8": fp8_tensor()}),
        "bitsandbytes": ("bitsandbytes", {}, {
            "nf4": bitsandbytes("nf4", False), "fp4": bitsandbytes("fp4", False), "nested": bitsandbytes("nf4", True)}),
    }
    for name, (method, settings, matrices) in cases.items():
        folder = options.output / name
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {"plain.weight": torch.randn(4, 8)}
        expected = dict(tensors)
        for stem, (parts, result) in matrices.items():
            assert result.shape[0] == OUTPUTS and result.isfinite().all(), (name, stem)
            for part, value in parts.items():
                tensors[f"{stem}.{part}"] = value.contiguous()
            expected[stem + ".weight"] = result.float().contiguous()
        save_file(tensors, folder / "model.safetensors")
        save_file(expected, folder / "expected.safetensors")
        config = dict(torch_dtype="float32", quantization_config=dict(quant_method=method, **settings))
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        print(f"{name}: {', '.join(matrices)}")


if __name__ == "__main__":
    main()
