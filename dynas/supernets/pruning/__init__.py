"""The structure of any network, found on its graph, and smaller networks cut out of it."""
