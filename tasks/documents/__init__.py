"""Read what a person writes, and say what is wrong with it, with file and line."""

from tasks.documents.config_file import ConfigFile, load_config, open_config
from tasks.documents.yaml_file import Document, read_yaml

__all__ = ["ConfigFile", "Document", "load_config", "open_config", "read_yaml"]
