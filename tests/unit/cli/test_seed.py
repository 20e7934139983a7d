import pytest

from hevesy.cli import main

COMMANDS = {
    "dosemap": ["tia.npz", "--nuclide", "Y-90", "--out", "out"],
    "instruments": ["cardiac"],
    "kernel": ["Lu-177", "--voxel", "4", "--out", "k.npz"],
    "protocol": ["--times", "24"],
    "simulate": ["p.npz", "--geometry", "g.json", "--seconds-per-view", "1", "--sensitivity", "1"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("seed", ["-3", "1.5", "one"])
def test_a_seed_that_is_no_whole_number_is_refused_in_one_line(command, seed, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, *COMMANDS[command], f"--seed={seed}"])
    assert stopped.value.code == 2
    assert "is not a whole number of 0 or more" in capsys.readouterr().err.splitlines()[-1]
