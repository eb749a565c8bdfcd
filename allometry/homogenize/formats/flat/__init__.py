"""Plain files and folders of them: arrays, delimited tables and sheets."""
