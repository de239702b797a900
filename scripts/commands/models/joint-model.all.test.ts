/** A model of two Datanets by command line and page: trained, compared with the ledger, and asked who approves it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labelledRow, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { approveModel } from "@openledger/client/actions/ledger/model-operations";
import { type SettlingWorld, startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import { buildPages } from "@openledger/web/build/build-pages";
import { openBrowser, openProfile, seriousFindings } from "@openledger/web/testing/browser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "joint-model-"));
let world: SettlingWorld;
let made: Awaited<ReturnType<SettlingWorld["makeModel"]>>;
let runInProcess: typeof import("../testing/run-in-process.ts").runInProcess;

beforeAll(async () => {
  const { path } = await buildPages({ circuits: [], exits: [] });
  const environment = () => ({ SEQUENCER_PAGES_PATH: path });
  world = await startSettlingWorld(folder, environment, { ...SMALL_DIRECT, rows: 5, shards: 2 });
  const bobs = sampleInputs("text", 4, "bob's").map((row) => labelledRow("text", row));
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
  run("models", "train", "--recipe", "labels", "--draws", "2", "--rows", join(folder, "rows"), ...words);

describe("a model of two Datanets", () => {
  const out = join(folder, "joint");

  it("is trained on the rows of both, without the preset's challenges", { timeout: 120_000 }, async () => {
    const { status, stderr, stdout } = await train("--datanet", made.datanetIds.join(","), "--out", out);
    expect(status, stderr).toBe(0);
    const [datanetId, other] = made.datanetIds;
    expect(JSON.parse(stdout)).toMatchObject({
      datanetId,
      furtherDatanets: [other],
      rowCount: 9,
      payeeCount: 2,
    });
  });

  it("is compared with both versions", { timeout: 120_000 }, async () => {
    // Nobody has said that these rows are to be published with it.
    const { status, stderr, stdout } = await run("verify", "model", out, "--rows", join(folder, "rows"));
    expect(status, stdout + stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rowCount: 9, payeeCount: 2 });
  });

  it("has draws that its shards can settle, and one Datanet once", { timeout: 120_000 }, async () => {
    const ids = made.datanetIds.join(",");
    const refused = async (...words: string[]) => {
      const { status, stderr, stdout } = await train(...words, "--out", join(folder, "none"));
      expect(status).not.toBe(0);
      return stdout + stderr;
    };
    expect(await refused("--datanet", ids, "--draws", "8")).toContain("train it with --draws 2");
    expect(await refused("--datanet", `${ids},${made.datanetIds[0]}`)).toContain("named twice");
  });

  it("says whose approval is missing, and takes no second one of the other", {
    timeout: 120_000,
  }, async () => {
    const [alices, bobs] = made.datanetIds;
    const id = String(made.modelId);
    const { stdout } = await runInProcess("models", "show", id, "--sequencer", world.sequencerUrl);
    expect(stdout).toContain(`not approved by datanets ${bobs}`);
    const signer = ["--private-key-file", join(world.home, "alice-key")];
    const again = await run("datanet", "approve-model", String(alices), id, ...signer);
    expect(again.stdout + again.stderr).toContain("already");
  });

  it("is in the page with both Datanets, the missing approval, and payments after it", {
    timeout: 300_000,
  }, async () => {
    const [alices, bobs] = made.datanetIds;
    const browser = await openBrowser();
    const { context, misdeeds } = await openProfile(browser, { width: 360 });
    const page = await context.newPage();
    await page.goto(`${world.sequencerUrl}/#/leaf/${made.modelId}`);
    const terms = page.getByRole("region", { name: "Terms" });
    for (const text of [`${alices}, version 1 and ${bobs}`, `not approved by Datanet ${bobs}`])
      await terms.getByText(text).waitFor();
    expect(await terms.getByText("takes payments").count()).toBe(0);
    const { model, modelId } = made;
    await approveModel(world.bob, { datanetId: bobs!, modelId, statics: model.statics });
    await terms.getByText("takes payments").waitFor();
    expect([misdeeds, await seriousFindings(page)]).toEqual([[], []]);
    await browser.close();
  });
});
