"""Tables, a folder per source: the file, its README (source, licence, checksum) and its reader."""
