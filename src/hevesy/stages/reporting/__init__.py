"""Reports: results.json, tables, figures and pages, made from one `CaseResult`."""
