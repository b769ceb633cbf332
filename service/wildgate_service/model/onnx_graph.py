"""Writing a small int8 ONNX graph by hand.

Weights are int8 with one scale per output column. Activations are quantized at run time with one
scale per token or per text, never per batch: a vector does not depend on its neighbors. Activations
are uint8 because ONNX Runtime's kernel for int8 times int8 is far slower.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from wildgate_service.model.quantized import INT8_MAX, SMALLEST_PEAK, quantize_columns

OPSET = 17  # the first with LayerNormalization
IR_VERSION = 8
CONTRIB = "com.microsoft"  # ONNX Runtime's own operators
UINT8_ZERO = 128

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "sentence_embedding"

Array = NDArray[np.generic]
Attribute = int | float | str | tuple[int, ...]


@dataclass(frozen=True)
class Rows:
    """Names of two tensors: uint8 codes around 128, and the peaks they are relative to."""

    codes: str
    peak: str


class GraphWriter:
    """Collects nodes and constants; every method returns the name(s) of what it added."""

    def __init__(self) -> None:
        """Start an empty graph."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self.zero = self.constant(np.array(UINT8_ZERO, np.uint8))
        self.step = self.number(1.0 / INT8_MAX)

    def constant(self, value: Array) -> str:
        """Store a tensor."""
        name = f"constant_{len(self._constants)}"
        self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def number(self, value: float) -> str:
        """Store a float32 scalar."""
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        """Store an int64 vector."""
        return self.constant(np.array(values, np.int64))

    def node(self, op: str, *inputs: str, domain: str = "", output: str = "", **attributes: Attribute) -> str:
        """Add a node with one output."""
        name = output or f"{op}_{len(self._nodes)}"
        node = helper.make_node(op, inputs, [name], domain=domain)
        node.attribute.extend(helper.make_attribute(*item) for item in attributes.items())
        self._nodes.append(node)
        return name

    def split(self, x: str, sizes: list[int]) -> list[str]:
        """Cut the last axis into parts of the given sizes."""
        names = [f"Split_{len(self._nodes)}_{part}" for part in range(len(sizes))]
        self._nodes.append(helper.make_node("Split", [x, self.integers(*sizes)], names, axis=-1))
        return names

    def quantize(self, x: str, axes: tuple[int, ...] = (-1,)) -> Rows:
        """Codes of float32 x, relative to its peak over `axes` (default: of each row)."""
        peak = self.node("ReduceMax", self.node("Abs", x), axes=axes, keepdims=1)
        peak = self.node("Max", peak, self.number(SMALLEST_PEAK))
        codes = self.node("QuantizeLinear", self.node("Div", x, peak), self.step, self.zero)
        return Rows(codes, peak)

    def product(self, rows: Rows, weight: Array) -> str:
        """The rows [..., in] times the weight [in, out] -> float32 [..., out]."""
        codes, scales = quantize_columns(weight)
        factors = (self.constant(codes), self.step, self.constant(scales), self.zero)
        product = self.node("MatMulIntegerToFloat", rows.codes, *factors, domain=CONTRIB)
        return self.node("Mul", product, rows.peak)

    def matmul(self, x: str, weight: Array) -> str:
        """Float32 x [..., in] times the weight [in, out]."""
        return self.product(self.quantize(x), weight)

    def linear(self, x: str, weight: Array, bias: Array) -> str:
        """Float32 x [..., in] times the weight [in, out], plus the bias [out]."""
        return self.node("Add", self.matmul(x, weight), self.constant(bias))

    def layer_norm(self, x: str, gain: Array, bias: Array, epsilon: float) -> str:
        """Layer normalization over the last axis."""
        parameters = (self.constant(gain), self.constant(bias))
        return self.node("LayerNormalization", x, *parameters, axis=-1, epsilon=epsilon)

    def float_mask(self) -> str:
        """The attention mask as float32 [batch, sequence, 1]."""
        column = self.node("Unsqueeze", INPUTS[1], self.integers(-1))
        return self.node("Cast", column, to=TensorProto.FLOAT)

    def sum_tokens(self, x: str) -> str:
        """[batch, sequence, n] -> [batch, n]."""
        return self.node("ReduceSum", x, self.integers(1), keepdims=0)

    def unit_rows(self, x: str) -> str:
        """Divide each row by its Euclidean length; this is the output of the graph."""
        length = self.node("ReduceL2", x, axes=(-1,), keepdims=1)
        length = self.node("Max", length, self.number(SMALLEST_PEAK))
        return self.node("Div", x, length, output=OUTPUT)

    def save(self, path: Path, width: int) -> None:
        """Write the model: two int64 inputs [batch, sequence] -> float32 [batch, width]."""
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(self._graph(width), opset_imports=opsets, ir_version=IR_VERSION)
        onnx.save(model, path)

    def _graph(self, width: int) -> onnx.GraphProto:
        """Everything collected, as one graph."""
        grid = ["batch", "sequence"]
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, grid) for name in INPUTS]
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", width])
        constants = list(self._constants.values())
        return helper.make_graph(self._nodes, "sentence_encoder", inputs, [output], constants)
