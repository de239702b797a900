/** Tests of a sequencer's start on damaged data directories. */
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestLog } from "../testing/open-test-log.ts";
import { close, send } from "../testing/test-operator.ts";
import { startTestRollup, temporaryFolder, transfer } from "../testing/test-rollup.ts";

let folder: ReturnType<typeof temporaryFolder>;
let intact: string;
let damaged: string;
/** Root and opIndex that everything acknowledged gives. */
let expected: { root: bigint; opIndex: number };

beforeEach(async () => {
  folder = temporaryFolder();
  intact = join(folder.path, "intact");
  damaged = join(folder.path, "damaged");
  const rollup = await startTestRollup({ dataPath: intact });
  const [alice, bob] = rollup.users as [(typeof rollup.users)[0], (typeof rollup.users)[0]];
  for (let nonce = 0n; nonce < 5n; nonce++) await send(rollup, transfer(alice, bob, nonce));
  await close(rollup);
  for (let nonce = 0n; nonce < 4n; nonce++) await send(rollup, transfer(bob, alice, nonce));
  const { root, opIndex } = rollup.sequencer.pipeline.head.position;
  expected = { root, opIndex };
  await rollup.stop();
});
afterEach(() => folder.remove());

/** Result of a start on a damaged copy: the error code, or "everything". */
async function startOn(damage: (path: string) => void): Promise<string> {
  rmSync(damaged, { recursive: true, force: true });
  cpSync(intact, damaged, { recursive: true });
  damage(damaged);
  try {
    const rollup = await startTestRollup({ dataPath: damaged, userCount: 0 });
    const { root, opIndex } = rollup.sequencer.pipeline.head.position;
    await rollup.stop();
    expect({ root, opIndex }, "what a sequencer that starts goes on with").toEqual(expected);
    return "everything";
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
}

const filesOf = (path: string, pattern: RegExp) =>
  readdirSync(path)
    .filter((name) => pattern.test(name))
    .sort();
const write = (path: string, change: (bytes: Buffer) => void) => {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
};

describe("a damaged data directory", () => {
  it("is refused where the end of the log was cut off", async () => {
    const [log] = filesOf(intact, /^\d+\.log$/);
    const { length } = readFileSync(join(intact, log!));
    for (const share of [0.99, 0.7, 0.3, 0])
      expect(await startOn((path) => truncateSync(join(path, log!), Math.floor(length * share)))).toMatch(
        /^(SRV_STORE_CORRUPT|SEQ_STORE_INCONSISTENT)$/,
      );
  });

  it("is refused where the end of the log was cut off, and what says where it was is gone too", async () => {
    const [log] = filesOf(intact, /^\d+\.log$/);
    const marks = filesOf(intact, /^DURABLE-/);
    expect(marks.length).toBe(2);
    const { length } = readFileSync(join(intact, log!));
    const losses: [string, (path: string) => void][] = [
      ["removed", (path) => rmSync(path)],
      ["emptied", (path) => truncateSync(path, 0)],
    ];
    for (const [what, lose] of losses)
      for (const share of [1, 0.7, 0.3]) {
        const outcome = await startOn((path) => {
          truncateSync(join(path, log!), Math.floor(length * share));
          for (const mark of marks) lose(join(path, mark));
        });
        expect(outcome, `${what}, ${share} of the log`).toBe("SRV_STORE_CORRUPT");
      }
  });

  it("never goes on with anything but everything, whichever byte is another", async () => {
    const random = new TestRandom(5);
    const outcomes = new Set<string>();
    for (let i = 0; i < 25; i++) {
      const name = random.pick(filesOf(intact, /^(\d+\.(log|ldb)|MANIFEST-\d+|CURRENT)$/));
      const outcome = await startOn((path) =>
        write(join(path, name), (bytes) => {
          bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
        }),
      );
      expect(outcome, name).toMatch(
        /^(everything|SRV_STORE_CORRUPT|SEQ_STORE_INCONSISTENT|SRV_STORE_FAILED)$/,
      );
      outcomes.add(outcome);
    }
    expect([...outcomes]).toContain("SRV_STORE_CORRUPT");
  });

  it("names what was lost", async () => {
    const [log] = filesOf(intact, /^\d+\.log$/);
    rmSync(join(intact, log!));
    await expect(openTestLog(intact)).rejects.toMatchObject({
      code: "SRV_STORE_CORRUPT",
      data: { reason: `${log} is missing` },
    });
  });

  it("is none where a crash tore the last write, which nobody was told of", async () => {
    const [log] = filesOf(intact, /^\d+\.log$/);
    expect(await startOn((path) => appendFileSync(join(path, log!), Buffer.from([1, 2, 3])))).toBe(
      "everything",
    );
  });
});
