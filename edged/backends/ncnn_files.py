"""Looks into ncnn's two files before ncnn does.

ncnn says little and dies easily: with a wrong blob name or half a .bin it prints to stderr, returns -1, and crashes the
process at the next call; the weights of another model it takes without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edged.backends.names import check_names
from edged.backends.ncnn_graph import Graph, read_graph
from edged.backends.ncnn_weights import check_weights
from edged.errors import BackendError


def check_files(param: Path, weights: Path, *, input_name: str, output_names: Sequence[str]) -> Graph:
    """Hold both files and the names to each other; return the graph. Raises ModelNotFound or ModelInvalid."""
    graph = read_graph(param)
    check_names(
        param,
        inputs=graph.inputs(),
        outputs=graph.outputs(),
        input_name=input_name,
        output_names=output_names,
        known=graph.blobs(),
    )
    check_weights(graph, weights)
    return graph


def unusable(path: Path, what: str) -> BackendError:
    """Build the error for files that pass every check here and that ncnn refuses all the same."""
    return BackendError(
        f"ncnn refused {path}: {what}.",
        hint="Its own words are on stderr. An unknown layer needs a newer ncnn; otherwise export the model anew.",
    )
