"""Type inference for PromQL: the labels of an expression's series, without evaluation."""
