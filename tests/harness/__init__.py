"""Programs that prove the renewal protocol (its section 8). Each runs at any size, and every failure names the seed that
replays it."""
