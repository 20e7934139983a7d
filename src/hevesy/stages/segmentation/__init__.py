"""Segmentation: which part of each voxel belongs to which region."""
