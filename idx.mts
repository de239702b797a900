const { FlatLedger } = await import("/work/wt-history/circuits/ledger/flat/flat-ledger.ts"); const { accountLeaf } = await import("/work/wt-history/circuits/ledger/leaf.ts"); const { initPoseidon } = await import("/work/wt-history/circuits/field/poseidon.ts"); await initPoseidon();
const count = Number(process.argv[2]); const flat = new FlatLedger();
for (let at = 0; at < count; at += 65536) flat.fold(Array.from({ length: 65536 }, (_, i) => { const id = at + i; const o = BigInt(id) * 0x9e3779b97f4a7c15n & (2n**160n-1n); return [id, { leaf: accountLeaf({ l1Owner: o, keyX: o << 60n, balance: 1n }) }, 1n] as const; }));
const ask = (n: number) => { const b = process.cpuUsage(); for (let i = 0; i < n; i++) [...flat.idsOf({ l1Owner: BigInt(i) })]; const u = process.cpuUsage(b); return (u.user + u.system) / n; };
ask(200); console.log({ count, lookupUs: ask(1000), rss: process.memoryUsage().rss / 2**20 });
