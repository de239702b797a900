import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { ManagedProcess } from "./process.ts";
import { waitUntil } from "./wait-until.ts";

const folder = mkdtempSync(join(tmpdir(), "wait-until-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("says for what it waits, and gives up where the process that it needs has ended by itself", async () => {
  const main = join(folder, "main.mjs");
  writeFileSync(
    main,
    `import { existsSync } from "node:fs";
setInterval(() => {
  if (!existsSync(${JSON.stringify(join(folder, "end"))})) return;
  console.log('{"code":"SRV_STORE_CORRUPT"}');
  console.log("the end");
  process.exit(1);
}, 100);`,
  );
  const words: string[] = [];
  const process = new ManagedProcess({
    name: "sequencer",
    args: [main],
    logPath: join(folder, "sequencer.log"),
    tell: (text) => words.push(text),
  });
  process.launch();
  const never = waitUntil("what never comes", async () => false, 600_000, {
    tell: (text) => {
      words.push(text);
      writeFileSync(join(folder, "end"), "");
    },
    inVain: () => process.endedByItself,
  });
  await expect(never).rejects.toMatchObject({
    code: "DRL_PROCESS_ENDED",
    message: expect.stringMatching(
      /sequencer ended by itself with 1, naming SRV_STORE_CORRUPT:\n.*\nthe end/s,
    ),
    data: { name: "sequencer", codes: ["SRV_STORE_CORRUPT"] },
  });
  expect(words[0]).toMatch(/^waits for what never comes, \d+ s by now$/);
  // Killed by the drill: that is no end of its own.
  rmSync(join(folder, "end"));
  process.launch();
  expect(process.endedByItself).toBeNull();
  await process.kill();
  expect(process.endedByItself).toBeNull();
}, 400_000);
