"""Writes all-MiniLM-L6-v2 into GGUF, so that the engine of the chat model serves it too.

The layout is the one that llama.cpp reads for the architecture `bert`: names from the `gguf`
package's own table, WordPiece tokens with U+2581 in front of those that start a word, mean
pooling. Matrices become 16-bit floats, vectors stay 32-bit.
"""

from pathlib import Path

# A part of the product's file name: raise it when the layout written below changes.
FORMAT = "f16-1"

LAYERS = 6
DIMENSIONS = 384


def _piece(token: str) -> str:
    if token.startswith("[") and token.endswith("]"):
        return token
    return token[2:] if token.startswith("##") else "\u2581" + token


def write(source: Path, vocabulary: Path, target: Path) -> None:
    """Write the safetensors file `source` and its `vocabulary` to the GGUF file `target`."""
    import gguf
    import numpy as np
    from safetensors import safe_open

    tokens = vocabulary.read_text(encoding="utf-8").splitlines()
    # The model card's limit is 256 tokens; the position table has 512 and llama.cpp allows them.
    out = gguf.GGUFWriter(target, "bert")
    out.add_name("all-MiniLM-L6-v2")
    out.add_license("apache-2.0")
    out.add_context_length(512)
    out.add_embedding_length(DIMENSIONS)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(1536)
    out.add_head_count(12)
    out.add_layer_norm_eps(1e-12)
    out.add_causal_attention(False)
    out.add_pooling_type(gguf.PoolingType.MEAN)
    out.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    out.add_tokenizer_model("bert")
    out.add_token_type_count(2)
    out.add_token_list([_piece(token) for token in tokens])
    control = {"[PAD]", "[CLS]", "[SEP]", "[MASK]"}
    kinds = [
        gguf.TokenType.CONTROL
        if token in control
        else gguf.TokenType.UNKNOWN
        if token == "[UNK]"
        else gguf.TokenType.NORMAL
        for token in tokens
    ]
    out.add_token_types(kinds)
    out.add_bos_token_id(tokens.index("[CLS]"))
    out.add_sep_token_id(tokens.index("[SEP]"))
    out.add_unk_token_id(tokens.index("[UNK]"))
    out.add_pad_token_id(tokens.index("[PAD]"))
    out.add_mask_token_id(tokens.index("[MASK]"))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, LAYERS)
    with safe_open(source, "np") as tensors:
        for name in tensors.keys():  # noqa: SIM118 (not a dict)
            if name == "embeddings.position_ids" or name.startswith("pooler."):
                continue  # neither takes part in a sentence embedding
            stem, _, ending = name.rpartition(".")
            mapped = names.get_name(stem)
            if mapped is None:
                raise ValueError(f"{source.name} holds a tensor {name!r} that GGUF has no name for")
            data = tensors.get_tensor(name)
            # The engine adds rows of these two tables to 32-bit activations, so they stay 32-bit.
            wide = data.ndim == 1 or "position_embeddings" in name or "token_type" in name
            out.add_tensor(f"{mapped}.{ending}", data.astype(np.float32 if wide else np.float16))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
