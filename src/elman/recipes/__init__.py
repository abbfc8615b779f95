"""Experiments on real data, one TOML file each; `elman train NAME` runs one."""
