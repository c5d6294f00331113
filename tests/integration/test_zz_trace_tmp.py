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
    while True:
        s=status(client,tid); m=s['message'][:40]; r=rss()
        if m not in peak: print(f'{time.time()-t0:.1f}',m,round(r),flush=True)
        peak[m]=max(peak.get(m,0),r)
        if s['status'] in('completed','failed'): break
        time.sleep(.03)
    for k,v in peak.items(): print(k,round(v))
    print('HWM',rss('VmHWM'))
    os.system(f"grep -c . /proc/{worker.pid}/maps; ls /proc/{worker.pid}/task | wc -l")
    print([l.split()[-1] for l in open(f'/proc/{worker.pid}/maps') if any(x in l for x in('libtorch_cpu.so','libtorch.so'))][:2])
