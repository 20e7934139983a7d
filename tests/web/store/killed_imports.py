"""Imports that are killed at random moments, each in a process forked from this one; prints what is left as JSON."""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import django

if __name__ == "__main__":
    incoming, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["DJANGO_SETTINGS_MODULE"] = "hevesy.web.site.settings"
    django.setup()

    from django.core.management import call_command
    from django.db import connection

    from hevesy.web.site.store import importing
    from hevesy.web.site.store.files import FileStore
    from hevesy.web.site.store.models import Import, Instance, Series, Study

    importing.BATCH = 16
    call_command("migrate", verbosity=0)
    arrival = Import.objects.create(origin="path", source="incoming")
    chance = random.Random(seed)
    killed, during, longest = 0, 0, 0.5
    while killed < kills:
        connection.close()
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            importing.import_path(incoming, None, arrival=Import.objects.get(pk=arrival.pk))
            os._exit(0)
        time.sleep(chance.uniform(0.0, longest))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            killed += 1
            reached = Instance.objects.exists()
            during += reached
            longest *= 1.0 if reached else 1.5  # a slow machine comes late to the first rows
            if not during:  # a machine that others use is slower: kill later, so that kills fall into the import
                longest *= 1.5
        else:  # it was done before: from now on nothing new would be interrupted, so begin with an empty database
            longest = 0.9 * (time.monotonic() - started)
            for model in (Instance, Series, Study):
                model.objects.all().delete()

    report = importing.import_path(incoming, None, arrival=Import.objects.get(pk=arrival.pk))
    named = list(Instance.objects.values_list("sha256", flat=True))
    store = FileStore.of_site()
    damage = store.verify(named)
    found = {
        "during": during,
        "counts": [report.new, report.duplicate, report.refused, report.ignored],
        "instances": len(named),
        "distinct": Instance.objects.values("uid").distinct().count(),
        "summed": [Study.objects.get().instance_count, Series.objects.get().instance_count],
        "damage": [*damage.missing, *damage.changed],
        "unnamed": len({p.name for p in store.folder.glob("??/*")} - set(named)),
    }
    sys.stdout.write(json.dumps(found))
