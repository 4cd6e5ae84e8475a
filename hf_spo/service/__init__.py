"""The model behind HTTP: `hf-spo serve`. See [`make_app`] for the application, [`run_server`] for the server."""
