"""Figures of each kind of store: functions of opened stores by name, which give a `Drawing`."""
