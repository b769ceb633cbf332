"""Universal Sentence Encoder multilingual v3 as a network that can be trained on. Needs torch, of the extra `export`.

The same architecture as `encoder_onnx` writes as a graph, in float32: what is tuned here is built there.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from wildgate_service.model.encoder_onnx import BRANCHES, CHANNELS, WIDTH, Branch, epsilon, token_table
from wildgate_service.model.tuned import Layers
from wildgate_service.model.wheel import Weights

DENSE = ("cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3")
OF_ALL = ("ln_g", "ln_b", *DENSE)
OF_BRANCH = ("proj", "proj_b", "ln_g", "ln_b", "w1_", "b1_", "w2_", "b2_")
WIDTH_OF_BRANCHES = CHANNELS * len(BRANCHES)
SHORTEST = 1e-6  # length of a vector that is divided by


def tuned_names() -> tuple[str, ...]:
    """The wheel's arrays that are trained on: all but the table of tokens."""
    return (*(f"{name}{branch.order}" for branch in BRANCHES for name in OF_BRANCH), *OF_ALL)


class UseNetwork(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Token ids and mask [batch, sequence] -> unit vectors [batch, 512]."""

    def __init__(self, weights: Weights, *, dropout: float = 0.0, tokens_dropped: float = 0.0) -> None:
        """`weights` are the wheel's; while it trains, shares of features and of whole tokens are left out."""
        super().__init__()
        codes, grid = token_table(weights)
        self.register_buffer("codes", torch.from_numpy(np.array(codes)))
        self.register_buffer("grid", torch.from_numpy(np.array(grid)))
        layers = {name: np.array(weights[name], np.float32) for name in tuned_names()}
        self.layers = nn.ParameterDict({name: nn.Parameter(torch.from_numpy(layer)) for name, layer in layers.items()})
        self.epsilon = epsilon(weights)
        self.dropout, self.tokens_dropped = nn.Dropout(dropout), tokens_dropped

    def tuned(self) -> Layers:
        """The layers as they are now, by the names of the wheel's arrays."""
        return {name: layer.detach().numpy().copy() for name, layer in self.layers.items()}

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The vectors; tokens outside the mask do not count."""
        part, inside = self.layers, mask.float().unsqueeze(-1)
        tokens = self._tokens(ids)
        x = functional.linear(tokens, self._joined("proj").T, self._joined("proj_b"))
        x = functional.layer_norm(x, (WIDTH_OF_BRANCHES,), self._joined("ln_g"), self._joined("ln_b"), self.epsilon) * inside
        x = self._convolved(self.dropout(self._convolved(x, 1) * inside), 2)
        features = functional.layer_norm(torch.cat((tokens, x), -1), (WIDTH + WIDTH_OF_BRANCHES,), part["ln_g"], part["ln_b"], self.epsilon)
        count = inside.sum(1)
        pooled = ((self.dropout(features) * inside).sum(1) @ part["cnn_W"] + count * part["cnn_b"]) * torch.rsqrt(count)
        first = torch.relu(pooled @ part["d0"])
        second = torch.relu(pooled @ part["p1"] + first @ part["d1"])
        third = torch.relu(second @ part["d2"])
        vector = torch.tanh(second @ part["p3"] + third @ part["d3"])
        return vector / torch.linalg.vector_norm(vector, dim=-1, keepdim=True).clamp_min(SHORTEST)

    def _tokens(self, ids: Tensor) -> Tensor:
        """[batch, sequence] -> [batch, sequence, 512]."""
        scale, low = functional.embedding(ids, self.grid).split(1, -1)
        tokens = functional.embedding(ids, self.codes).float() * scale + low
        if self.training and self.tokens_dropped:
            tokens = tokens * (torch.rand(ids.shape) >= self.tokens_dropped).unsqueeze(-1)
        return tokens

    def _joined(self, name: str) -> Tensor:
        """The arrays of the three branches side by side."""
        return torch.cat([self.layers[f"{name}{branch.order}"] for branch in BRANCHES], -1)

    def _convolved(self, x: Tensor, number: int) -> Tensor:
        """Residual rectified convolutions of the branches, each over its own channels; [batch, sequence, 768] -> same."""
        parts = zip(x.split(CHANNELS, -1), BRANCHES, strict=True)
        sums = [
            _windows(part, branch) @ self.layers[f"w{number}_{branch.order}"] + self.layers[f"b{number}_{branch.order}"]
            for part, branch in parts
        ]
        return torch.relu(torch.cat(sums, -1)) + x


def _windows(x: Tensor, branch: Branch) -> Tensor:
    """[batch, sequence, 256] -> [batch, sequence, order * 256]: each token with its neighbors."""
    length, right = x.shape[1], branch.order - 1 - branch.left
    padded = functional.pad(x, (0, 0, branch.left, right))
    return torch.cat([padded[:, tap : tap + length] for tap in range(branch.order)], -1)
