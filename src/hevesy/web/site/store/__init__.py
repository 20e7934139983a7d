"""Patients, studies, series, courses of treatment and results; their files in a folder."""
