"""One decoder a head family: raw outputs of the model in, boxes in input pixels out."""
