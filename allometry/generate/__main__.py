"""Regenerate every derived file: `python -m allometry.generate`."""

from allometry.generate import ROOT, derived

if __name__ == "__main__":
    for name, text in derived().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {name}")
