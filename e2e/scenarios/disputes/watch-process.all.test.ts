/** The command `challenger` as a process, alone with what hostile owners post: the short version of `npm run drill -- disputes`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { directCase } from "@openledger/challenger/internal/model-commitments/testing/direct-case";
import {
  AVAILABILITY_CHALLENGE_FEE_WEI,
  BOND_WEI,
  startDisputes,
} from "@openledger/challenger/internal/model-commitments/testing/dispute-fixture";
import { TREES } from "@openledger/challenger/internal/statements/committed-model";
import { directModelCommitment } from "@openledger/challenger/internal/statements/direct-model-commitment";
import { encodeLeaves } from "@openledger/challenger/internal/statements/leaf-file";
import { recomputedLine } from "@openledger/challenger/model-commitments/model-commitment-lines";
import { readWindows } from "@openledger/challenger/model-commitments/read-windows";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import { runOpenledger } from "@openledger/scripts/internal/cli/openledger-process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drillAccount, drillPrivateKey } from "../../world/accounts.ts";
import { commandRunner } from "../../world/commands.ts";
import { ManagedProcess } from "../../world/process.ts";
import { commandSpec } from "../../world/services.ts";
import { DIRECT_LIES } from "./direct-lies.ts";

const POLL = { timeout: 240_000, interval: 500 };
const [UNREADABLE, COPIED, TOKENS, HONEST] = [20, 21, 22, 23, 24] as const;
const folder = testFolder("watch-process");
const published = join(folder, "published");
const keyFile = join(folder, "watcher-key");
/** Of the fixture's owner, who is anvil's second account. */
const ownerKeyFile = join(folder, "owner-key");
const f = started(() => startDisputes());
const made = started(() => directCase(24));
let watch: ManagedProcess | undefined;

beforeAll(() => writeFileSync(keyFile, drillPrivateKey("watcher"), { mode: 0o600 }));
afterAll(() => watch?.kill());

test("it refutes false model commitments by itself, whatever else is posted, and is paid", {
  timeout: 600_000,
}, async () => {
  const { contents, model, rows } = made;
  for (const [modelId, name] of [
    [COPIED, "copied"],
    [TOKENS, "tokens"],
    [HONEST, null],
  ] as const) {
    const lie = DIRECT_LIES.find((one) => one.name === name);
    const made = await lie?.make({ model, rows, long: { model, rows } });
    const own = made?.model ?? model;
    const posted = made?.posted(modelId) ?? directModelCommitment(model, contents, modelId);
    const target = join(published, String(modelId));
    await writeModel(target, own);
    if (lie !== undefined) writeFileSync(join(target, LEAF_FILE), encodeLeaves(posted.leaves));
    // Attack: files that nobody can read, of a model commitment that comes first.
    if (modelId === COPIED) {
      mkdirSync(join(published, String(UNREADABLE)), { recursive: true });
      writeFileSync(join(published, String(UNREADABLE), "manifest.json"), "{");
      await f.post({ ...posted, statement: { ...posted.statement, modelId: UNREADABLE } });
    }
    await f.post(posted);
  }
  const rpc = ["--rpc", f.url];
  const signed = [...rpc, "--private-key-file", keyFile];
  const args = ["challenger", f.disputes.address, "--models", published, "--every", "0.02", ...signed];
  const spec = commandSpec("watch", args, { OPENLEDGER_HOME: folder });
  watch = new ManagedProcess({ ...spec, logPath: join(folder, "watch.log") });
  await watch.start();
  const watcher = drillAccount("watcher").address;
  const seen = async () => {
    if (watch!.endedByItself !== null) throw watch!.endedByItself;
    const windows = await readWindows(f.client as never, f.disputes.address);
    return windows.map(({ id, modelId, refutation, refutedBy, state }) => [
      ...[modelId, state, refutation?.fault ?? null, refutedBy],
      watch!.hasSaid(recomputedLine({ id, modelId })),
    ]);
  };
  await expect.poll(seen, POLL).toEqual([
    [UNREADABLE, "open", null, null, false],
    [COPIED, "refuted", "Entry", watcher, false],
    [TOKENS, "refuted", "Tokens", watcher, false],
    [HONEST, "open", null, null, true],
  ]);
  await expect.poll(() => watch!.hasSaid("cannot be recomputed"), POLL).toBe(true);
  await watch.kill();
  // The honest owner is asked for a leaf, and for one that is not there. Beside it: a stranger's model commitment of its model,
  // and one of its own that it has no leaves of. Neither keeps it from answering.
  const ofHonest = { ...made.honest, statement: { ...made.honest.statement, modelId: HONEST } };
  const roots = { ...ofHonest.statement.roots, map: new Uint8Array(32).fill(7) };
  const unknown = { ...ofHonest, statement: { ...ofHonest.statement, roots } };
  const unknownArgs = await f.postArguments(unknown);
  await f.disputes.write.commitModel(unknownArgs as never, { account: f.stranger, value: BOND_WEI });
  await f.post(unknown);
  const honestId = await f.post(ofHonest);
  const runner = commandRunner(folder);
  for (const [id, index] of [
    ...[5n, 6n].map((id) => [id, 1n] as const),
    [honestId, 3n],
    [honestId, 99n],
  ] as const)
    await f.disputes.write.challengeAvailability([id, TREES.indexOf("rows"), index], {
      ...{ account: f.stranger, value: AVAILABILITY_CHALLENGE_FEE_WEI },
    });
  writeFileSync(ownerKeyFile, drillPrivateKey("faucet"), { mode: 0o600 });
  const defended = await runOpenledger(folder, [
    ...["challenger", f.disputes.address, "--role", "defend", "--models", published],
    ...[...rpc, "--private-key-file", ownerKeyFile],
  ]);
  const { answered, failures } = JSON.parse(defended.stdout);
  // Of this owner's in --models: one whose files nobody can read, and one whose leaves are not there.
  expect(failures.map(({ code }: { code: string }) => code)).toEqual([
    ...["ATT_MODEL_FILE_INVALID", "ATT_LEAVES_MISMATCH"],
  ]);
  expect(answered.map(({ index }: { index: string }) => index)).toEqual(["3", "99"]);
  expect(defended.status).toBe(1);
  const windows = await readWindows(f.client as never, f.disputes.address);
  // Of the unreadable one the watcher has asked for the last leaf of each tree.
  expect(windows.map(({ openAvailabilityChallengeCount }) => openAvailabilityChallengeCount)).toEqual([
    ...[TREES.length, 0, 0, 0, 1, 1, 0],
  ]);
  const { paidWei } = await runner.run<{ paidWei: string }>(
    ...["disputes", "withdraw", f.disputes.address, ...signed],
  );
  expect(BigInt(paidWei)).toBe(BOND_WEI);
  expect(await runner.refusal("disputes", "show", f.math, ...rpc)).toBe("CMD_USAGE");
});
