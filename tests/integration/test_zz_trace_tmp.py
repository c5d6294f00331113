import sys, threading, time
from tests.integration.test_counting import client, done, picture, start_worker, upload
from tests.integration.conftest import *
from tests.integration.test_counting import status
def test_it(client, engine, start_worker, settings):
    import os
    extra=os.environ.get('XENV')
    if extra: engine.environ.update(dict(x.split('=') for x in extra.split(',')))
    worker=start_worker()
    for _ in range(40):
        time.sleep(.1)
    def rss(k='VmRSS'):
        return int([l for l in open(f'/proc/{worker.pid}/status') if l.startswith(k)][0].split()[1])/1024
    print('idle',rss())
    tid=upload(client,(open('/tmp/pipe/big_test.jpg','rb').read(),'large.jpg'))
    peak={}
    t0=time.time()
    series=[]; go=[True]
    def samp():
        while go[0]:
            try: series.append((time.time()-t0,rss()))
            except Exception: break
            time.sleep(.02)
    threading.Thread(target=samp,daemon=True).start()
    while True:
        s=status(client,tid); m=s['message'][:40]; r=rss()
        if m not in peak: print(f'{time.time()-t0:.1f}',m,round(r),flush=True)
        peak[m]=max(peak.get(m,0),r)
        if s['status'] in('completed','failed'): break
        time.sleep(.03)
    for k,v in peak.items(): print(k,round(v))
    go[0]=False
    print('HWM',rss('VmHWM'))
    tp=max(series,key=lambda x:x[1])[0]; print('peak at',tp)
    last=-1
    for t,r in series:
        if tp-8<t<tp+6 and t-last>.15: print(f'{t:.2f}:{r:.0f}',end=' '); last=t
    from sqlalchemy import text
    with engine.database.session() as ss:
        for row in ss.execute(text("SELECT s.name,a.started_at,a.finished_at FROM attempts a JOIN steps s USING(job_id) ORDER BY a.id")): print(row.name, row.started_at.timestamp()-t0, row.finished_at and row.finished_at.timestamp()-t0)
    os.system(f"grep -c . /proc/{worker.pid}/maps; ls /proc/{worker.pid}/task | wc -l")
    print([l.split()[-1] for l in open(f'/proc/{worker.pid}/maps') if any(x in l for x in('libtorch_cpu.so','libtorch.so'))][:2])
