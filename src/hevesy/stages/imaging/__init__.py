"""Imaging: DICOM and NIfTI, in and out.

Array axes: an image read from slices has axis 0 along the direction of rows (the column index), axis 1 along
that of columns (the row index) and axis 2 along their cross product, from slice to slice; for an axial series
these are +x, +y and +z of the patient (LPS). The grid's affine takes an index in this order to mm. Nothing else
may be assumed: ask the grid.
"""
