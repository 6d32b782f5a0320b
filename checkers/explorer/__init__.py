"""The exhaustive explorer: local automata learned once, their product walked at native speed."""
