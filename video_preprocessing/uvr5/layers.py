"""The layers, under the name that users and public code know: they are in ``network/layers.py``."""

from __future__ import annotations

from video_preprocessing.uvr5.network.layers import (
    PUBLIC_DROPOUT,
    Activation,
    ASPPModule,
    Conv2DBNActiv,
    Decoder,
    Dilation,
    Encoder,
    LSTMModule,
    Sequencer,
    SkipAttention,
    check_spectrogram,
    make_activation,
    make_dropout,
)

__all__ = [
    "PUBLIC_DROPOUT",
    "ASPPModule",
    "Activation",
    "Conv2DBNActiv",
    "Decoder",
    "Dilation",
    "Encoder",
    "LSTMModule",
    "Sequencer",
    "SkipAttention",
    "check_spectrogram",
    "make_activation",
    "make_dropout",
]
