/** A model of two Datanets by the command line: trained, compared with the ledger, and asked who approves it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { SMALL_DIRECT } from "@openledger/circuits/testing/direct-world";
import { type SettlingWorld, startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "joint-model-"));
let world: SettlingWorld;
let made: Awaited<ReturnType<SettlingWorld["makeModel"]>>;
let runInProcess: typeof import("../testing/run-in-process.ts").runInProcess;

beforeAll(async () => {
  world = await startSettlingWorld(folder, undefined, { ...SMALL_DIRECT, rows: 5, shards: 2 });
  const bobs = sampleInputs("email", 4, "bob's").map((row) => encodeRow("email", row));
  made = await world.makeModel(undefined, { bobs });
  process.env.OPENLEDGER_HOME = world.home;
  ({ runInProcess } = await import("../testing/run-in-process.ts"));
}, 900_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...words: string[]) =>
  runInProcess(...words, "--sequencer", world.sequencerUrl, "--rpc", world.f.rpcUrl, "--json");
const train = (...words: string[]) =>
  run("models", "train", "--recipe", "emails", "--draws", "2", "--rows", join(folder, "rows"), ...words);

describe("a model of two Datanets", () => {
  const out = join(folder, "joint");

  it("is trained on the rows of both, without the preset's challenges", { timeout: 120_000 }, async () => {
    const { status, stderr, stdout } = await train("--datanet", made.datanetIds.join(","), "--out", out);
    expect(status, stderr).toBe(0);
    const [datanetId, other] = made.datanetIds;
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ datanetId, furtherDatanets: [other], rowCount: 9, payeeCount: 2 },
    });
  });

  it("is compared with both versions", { timeout: 120_000 }, async () => {
    const { status, stderr, stdout } = await run("verify", "model", out);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rowCount: 9, payeeCount: 2 });
  });

  it("has no promises, and one Datanet once", { timeout: 120_000 }, async () => {
    const ids = made.datanetIds.join(",");
    const refused = async (...words: string[]) => {
      const { status, stderr, stdout } = await train(...words, "--out", join(folder, "none"));
      expect(status).not.toBe(0);
      return stdout + stderr;
    };
    expect(await refused("--datanet", ids, "--challengeable")).toContain("neither challenges nor claims");
    expect(await refused("--datanet", `${ids},${made.datanetIds[0]}`)).toContain("named twice");
  });

  it("says whose approval is missing", { timeout: 120_000 }, async () => {
    const { stdout } = await runInProcess(
      "models",
      "show",
      String(made.modelId),
      "--sequencer",
      world.sequencerUrl,
    );
    expect(stdout).toContain(`not approved by datanets ${made.datanetIds[1]}`);
  });
});
