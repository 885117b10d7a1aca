from tests.gateway.prebill.prebill_world import *
from gateway.api.v1 import create_api
def test_clean(world: World) -> None:
    app = create_api(world.installed)
    key=world.key()
    def clock(): raise RuntimeError("x")
    app.state.gate._clock = clock
    with served(app, key) as caller:
        for i in range(5):
            try:
                r = caller.ask(question(invoice()))
                print(r.status_code, r.text)
            except Exception as e: print(repr(e))
    assert 0
