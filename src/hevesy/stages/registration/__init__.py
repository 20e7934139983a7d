"""Registration: bring images of one patient onto one grid."""
