"""What gunicorn reads where it is started: the application is loaded once, before it forks."""

preload_app = True
