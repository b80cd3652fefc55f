import { readFileSync } from "node:fs";
import { subject, ADDRESS } from "./subject.mjs";
const { configuration, token } = await subject({ policies: 100, locations: 25 });
const text = JSON.stringify(configuration);
for (const [js, wasm] of [["engine","engine"],["tools","tools"]]) {
const { instantiate } = await import(`../dist/wasm/${js}.js`);
const m = new WebAssembly.Module(readFileSync(`dist/wasm/${wasm}.wasm`));
const x = instantiate(m); let a0=performance.now(); const e = new x.Engine(text, 1n); console.log("configure", performance.now()-a0);
const now = Math.floor(Date.now()/1000);
const b = e.begin(token, now, "none");
e.decide(b.handle, now, ADDRESS, undefined, "/orders", true, b.needs.records.map(()=>null), undefined);
const rec = b.needs.records.map(()=>null);
const cpu = (n, f) => { for (let i=0;i<30000;i++) f(); let best=1e9; for (let k=0;k<7;k++){ const s=process.cpuUsage(); for (let i=0;i<n;i++) f(); const u=process.cpuUsage(s); best=Math.min(best,(u.user+u.system)/n*1000);} return best.toFixed(0)+" ns"; };
console.log(wasm, "decide", cpu(100000, () => e.decide(b.handle, now, ADDRESS, undefined, "/orders", undefined, rec, undefined)), "records", rec.length);
console.log(wasm, "stale", cpu(100000, () => e.decide(12345, now, ADDRESS, undefined, "/orders", undefined, rec, undefined)));
console.log(wasm, "stale,nostrings,norec", cpu(100000, () => e.decide(12345, now, undefined, undefined, undefined, undefined, [], undefined)));
console.log(wasm, "no ip", cpu(100000, () => e.decide(b.handle, now, undefined, undefined, undefined, undefined, rec, undefined)));
}
