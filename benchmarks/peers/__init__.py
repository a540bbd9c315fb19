"""The cost of a page and of a recording beside clients in Go and Rust."""
