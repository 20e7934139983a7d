"""Call ``module:function`` with arguments from JSON, where the site's models are known."""

import importlib
import json
import sys

import django

django.setup()
module, _, function = sys.argv[1].partition(":")
returned = getattr(importlib.import_module(module), function)(*json.loads(sys.argv[2]))
sys.stdout.write("\n" + json.dumps(returned))
