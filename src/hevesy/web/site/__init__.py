"""The site: accounts, audit, jobs and the store of files. It knows no medicine."""
