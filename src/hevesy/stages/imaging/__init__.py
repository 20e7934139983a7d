"""DICOM and NIfTI, in and out."""
