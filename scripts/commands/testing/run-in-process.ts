/** The command line in the test's own process: to start another one and to load it all takes two seconds of a core. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Output of each command that runs; several may run at once. */
const outputs = new AsyncLocalStorage<{ stdout: string; stderr: string }>();
for (const name of ["stdout", "stderr"] as const) {
  const stream = process[name];
  const write = stream.write.bind(stream);
  stream.write = ((text: string | Uint8Array, ...more: never[]) => {
    const mine = outputs.getStore();
    if (mine === undefined) return write(text, ...more);
    mine[name] += String(text);
    return true;
  }) as typeof stream.write;
}

/** Runs `openledger` with these words. */
export async function runInProcess(...words: readonly string[]): Promise<Ended> {
  const { runProgram } = await import("../program.ts");
  const mine = { stdout: "", stderr: "" };
  await outputs.run(mine, () => runProgram(words));
  const status = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { status, ...mine };
}
