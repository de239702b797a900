/** Folders and rollups that end with the test that asks for them, the last first. */
import { onTestFinished } from "vitest";
import { startTestRollup, type TestRollup, temporaryFolder } from "./test-rollup.ts";

export function freshFolder(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
}

/** In a folder of its own unless `dataPath` names one. A test may stop it before, or see it end by a fatal error. */
export async function freshRollup(
  options: Partial<Parameters<typeof startTestRollup>[0]> = {},
): Promise<TestRollup> {
  const rollup = await startTestRollup({ dataPath: options.dataPath ?? freshFolder(), ...options });
  const stop = rollup.stop.bind(rollup);
  let hasEnded = false;
  onTestFinished(async () => {
    const ending = hasEnded ? undefined : stop();
    await (rollup.fatal.length > 0 ? ending?.catch(() => {}) : ending);
  });
  return Object.assign(rollup, {
    async stop() {
      hasEnded = true;
      await stop();
    },
  });
}
