"""The engine TensorRT: a Jetson's, and any machine's with an NVIDIA GPU.

Everything but the calls to the GPU is plain Python over plain values: what a version can do (versions), what is built
(plan) from which model (onnx_file), and where the result is kept (cache). The calls themselves are few: builder,
session and the devices. edged.testing.nvidia stands in for NVIDIA's libraries where no GPU is.
"""
