import cProfile, pstats, time
from tests.gateway.sync.test_kill import fill
from tests.gateway.sync.conftest import *
from tests.gateway.sync.systems import *
def test_x(systems, reading):
    fill(systems)
    r=reading(batch_records=10)
    p=cProfile.Profile(); t=time.time(); p.enable(); r.sync(); p.disable(); print('first',time.time()-t); pstats.Stats(p).sort_stats('tottime').print_stats(22)
    t=time.time(); r.sync(); print('second',time.time()-t)
    t=time.time(); mapped(r.installed,'crm'); mapped(r.installed,'billing'); print('mapped',time.time()-t)
    t=time.time(); held(r,'crm'); held(r,'billing'); print('held',time.time()-t)
