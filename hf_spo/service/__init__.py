"""HTTP service with a model: `hf-spo serve`.

[`make_app`] in application.py returns the ASGI application, server.py runs it by uvicorn, ray_serve.py on a cluster.
Another HTTP framework would replace application.py, access.py and bodies.py; the rest knows none.

The service limits the queue, connections, and the size and duration of a request's body. Clients that send a request's
head byte by byte, or do not read the response, are the work of a reverse proxy: put one before a service that others
can reach. deploy/nginx.conf is the configuration of one, with limits that fit those of service_settings.py. A proxy
that passes its own Host header on needs the service to have a token.
"""
