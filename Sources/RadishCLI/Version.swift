/// Version of this build, as `--version`, `/version` and `/get_server_info` report it.
let radishVersion = "0.1.0"
