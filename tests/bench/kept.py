"""What is made once and kept in the cache, because it takes minutes."""

import multiprocessing
import os
import shutil
from pathlib import Path


def kept(name, make):
    """The folder of that name in the cache, which `make` fills if it is not there yet."""
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kubeferry-bench"
    folder, unfinished = base / name, base / "unfinished"
    if not folder.exists():
        print(f"making {name}, once", flush=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        # In a process of its own, so that its memory does not count as that of later commands.
        maker = multiprocessing.Process(target=make, args=(unfinished,))
        maker.start()
        maker.join()
        if maker.exitcode:
            raise SystemExit(f"{name} could not be made")
        unfinished.rename(folder)
    return folder
