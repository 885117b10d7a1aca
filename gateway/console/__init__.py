"""The web console: server-rendered pages over the exception queue and the verdicts of the gate.

`mount` adds to an application:

/                        the numbers that a finance lead asks for, charts, sources, the last verdicts
/exceptions              the queue; its filters are in the address
/exceptions/EXC-12       one case; POST /exceptions/EXC-12/<action> from the forms of its page
/validations             the gate's verdicts
/validations/val_…       one verdict with its reasons
/checks, /checks/<id>    what is looked for, and what came of it last
/controls                failure pattern by system: the checks of each, and the gaps; /controls.csv
/dictionary              which system is right about what
/links                   records that may be one customer; POST /links/LNK-12/confirm or /reject
/sign-in, /sign-out      with `console.access: key`
/static/…                the style sheet and the script
"""

import os

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from gateway.console import case, checks, dictionary, errors, front, links, queue, sign_in, validations
from gateway.console.session import Sessions

__all__ = ["mount"]


def mount(app: FastAPI) -> None:
    """Add the console. `app.state.installation` is set and the problem documents are installed before.

    Raises ConfigError where TIEOUT_CONSOLE_SECRET is set and too short.
    """
    secure = app.state.installation.config.public_url.startswith("https://")
    app.state.console_sessions = Sessions.from_environment(os.environ, secure=secure)
    for page in (front, queue, case, validations, checks, links, dictionary, sign_in):
        app.include_router(page.router)
    app.mount("/static", StaticFiles(packages=[("gateway.console", "static")]), name="static")
    errors.install(app)
