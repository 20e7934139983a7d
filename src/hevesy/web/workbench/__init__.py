"""The workbench: a patient's dosimetry, from a folder of DICOM to a signed report."""
