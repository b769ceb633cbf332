"""The sentence encoder and its heads: building, training, loading.

`encoder` and `heads` serve (numpy, onnxruntime, tokenizers). `encoder_onnx` builds (adds onnx) and
`train` trains (adds scikit-learn); neither is imported by the two that serve.
"""
