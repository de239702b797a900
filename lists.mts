const { measureLists, DEFAULT_LIST_LOAD } = await import(`${process.argv[2]}/sequencer/testing/list-load.ts`);
const { initPoseidon } = await import(`${process.argv[2]}/circuits/field/poseidon.ts`); await initPoseidon();
await measureLists({ ...DEFAULT_LIST_LOAD, operationCount: Number(process.argv[3] ?? 10000), secondsEach: Number(process.argv[4] ?? 8) }, console.log); process.exit(0);
