"""Regenerate the files that are derived from the configuration models: `python -m allometry.config`."""

from pathlib import Path

from allometry.config.generate import derived

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    for name, text in derived().items():
        (root / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
