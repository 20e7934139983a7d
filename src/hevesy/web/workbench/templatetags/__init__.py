"""What the pages of the workbench write numbers with."""
