"""timm's weights under Hugging Face's names, and the JSON files that transformers writes beside them."""

# prefix of the tensors, class in "architectures", whether a teacher's head is there
LAYOUTS = {
    "vit": ("vit", "ViTForImageClassification"),
    "deit": ("deit", "DeiTForImageClassification"),
    "deit_with_teacher": ("deit", "DeiTForImageClassificationWithTeacher"),
}
HIDDEN_ACT = {"gelu": "gelu", "gelu_tanh": "gelu_pytorch_tanh", "quick_gelu": "quick_gelu",
              "relu": "relu", "silu": "silu"}


def weights(timm_weights, layout):
    """{timm name: tensor} -> {Hugging Face name: tensor}; qkv is split into query, key and value."""
    prefix = LAYOUTS[layout][0]
    names = {
        "cls_token": f"{prefix}.embeddings.cls_token",
        "dist_token": f"{prefix}.embeddings.distillation_token",
        "pos_embed": f"{prefix}.embeddings.position_embeddings",
        "patch_embed.proj": f"{prefix}.embeddings.patch_embeddings.projection",
        "norm": f"{prefix}.layernorm",
        "head": "cls_classifier" if layout == "deit_with_teacher" else "classifier",
        "head_dist": "distillation_classifier",
    }
    block_names = {
        "norm1": "layernorm_before",
        "attn.proj": "attention.output.dense",
        "norm2": "layernorm_after",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }
    renamed = {}
    for name, tensor in timm_weights.items():
        if name in names:
            renamed[names[name]] = tensor
            continue
        module, kind = name.rsplit(".", 1)
        if not module.startswith("blocks."):
            renamed[f"{names[module]}.{kind}"] = tensor
            continue
        _, index, module = module.split(".", 2)
        layer = f"{prefix}.encoder.layer.{index}"
        if module == "attn.qkv":
            for part, rows in zip(("query", "key", "value"), tensor.chunk(3)):
                renamed[f"{layer}.attention.attention.{part}.{kind}"] = rows
        else:
            renamed[f"{layer}.{block_names[module]}.{kind}"] = tensor
    return renamed


def config_files(model, model_args, layout):
    """{file name: content} of config.json and preprocessor_config.json."""
    size, patch = (pair[0] for pair in (model.img_size, model.patch_size))
    image_size = size if model.img_size == (size, size) else list(model.img_size)
    embed_dim, num_classes = model_args["embed_dim"], model_args["num_classes"]
    labels = {str(i): f"kind {i}" for i in range(num_classes)}
    config = {
        "architectures": [LAYOUTS[layout][1]],
        "attention_probs_dropout_prob": 0.0,
        "encoder_stride": 16,
        "hidden_act": HIDDEN_ACT[model.act_layer],
        "hidden_dropout_prob": 0.0,
        "hidden_size": embed_dim,
        "id2label": labels,
        "image_size": image_size,
        "initializer_range": 0.02,
        "intermediate_size": int(embed_dim * model_args.get("mlp_ratio", 4)),
        "label2id": {label: int(index) for index, label in labels.items()},
        "layer_norm_eps": model.eps,
        "model_type": LAYOUTS[layout][0],
        "num_attention_heads": model.num_heads,
        "num_channels": model.in_chans,
        "num_hidden_layers": model_args["depth"],
        "patch_size": patch,
        "qkv_bias": model_args.get("qkv_bias", True),
        "torch_dtype": "float32",
        "transformers_version": "4.41.0",
    }
    preprocessor = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "ViTImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "resample": 2,
        "rescale_factor": 1 / 255,
        "size": {"height": model.img_size[0], "width": model.img_size[1]},
    }
    if layout != "vit":
        preprocessor.update(do_center_crop=True, image_processor_type="DeiTImageProcessor", resample=3,
                            crop_size={"height": size, "width": size},
                            size={"height": size + 8, "width": size + 8})
    return {"config.json": config, "preprocessor_config.json": preprocessor}
