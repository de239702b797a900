/** Rows of language models on L1 before their activation: honest model commitments, and a liar's against `openledger watch`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { TracePlayer } from "@openledger/challenger/internal/games/trace-player";
import { encodeLeaves } from "@openledger/challenger/internal/statements/leaf-file";
import { commitModelCall } from "@openledger/challenger/model-commitments/ledger-proofs";
import {
  type ModelCommitmentWindow,
  readWindows,
} from "@openledger/challenger/model-commitments/read-windows";
import { FAMILY_NUMBERS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { encodeFunctionData } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { STEP_TIMEOUT_MS } from "../../world/world.ts";
import { type HonestTexts, LANGUAGE_FALSEHOODS, type LanguageFalsehood } from "./language-falsehoods.ts";
import { playerAccount } from "./language-people.ts";
import { BOND_WEI, type CreatedModel, type OpenedWorld, type Owner } from "./language-world.ts";

const HOUR_SECONDS = 3_600;

export interface RefutedRows {
  readonly name: string;
  readonly modelId: number;
  /** As the contract names it. */
  readonly fault: string;
  readonly postGas: number;
  readonly rewardWei: bigint;
}

/** Created, registered for claims, and posted by the command. */
export async function postHonestly(f: OpenedWorld, owner: Owner): Promise<CreatedModel> {
  const model = await f.created(owner, f.registered(await f.promised(owner)), owner);
  const named = ["--model-id", String(model.modelId), "--base", f.base, ...f.as(owner)];
  await f.run.run("disputes", "commit-model", f.gate, model.staged, ...named);
  return model;
}

/** All lies, one after the other. @throws DRL_TIMEOUT where nobody refutes one */
export async function playFalseRows(
  f: OpenedWorld,
  tell: (text: string) => void,
): Promise<readonly RefutedRows[]> {
  const honest = await f.honestTexts("hostile");
  const refuted: RefutedRows[] = [];
  for (const lie of LANGUAGE_FALSEHOODS) {
    tell(`the hostile owner posts ${lie.description}`);
    const one = await playFalse(f, lie, honest);
    tell(`refuted: ${one.fault}`);
    refuted.push(one);
  }
  return refuted;
}

async function playFalse(f: OpenedWorld, lie: LanguageFalsehood, honest: HonestTexts): Promise<RefutedRows> {
  const { clients, game, gate: disputes, world } = f;
  const made = await lie.make(honest);
  const { folder, modelId } = await f.created("hostile", made.model, lie.name);
  const posted = made.posted(modelId);
  await writeFile(join(folder, LEAF_FILE), encodeLeaves(posted.leaves));
  const owner = playerAccount(f, "hostile", disputes);
  const { gasUsed } = await world.waitFor(
    "the model commitment",
    async () => {
      const call = await commitModelCall(clients.hostile, FAMILY_NUMBERS.text, posted.statement);
      const data = encodeFunctionData({ abi: disputesAbi, ...call } as never);
      return owner.send({ data, valueWei: BOND_WEI });
    },
    STEP_TIMEOUT_MS,
  );
  const player = new TracePlayer({
    ...{ publicClient: world.l1.client as never, game, challenges: false },
    ...{ account: playerAccount(f, "hostile", game), traceOf: () => made.own },
    model: { rollup: clients.hostile.rollupAddress, modelId: BigInt(modelId) },
  });
  const windowOf = async (): Promise<ModelCommitmentWindow> =>
    (await readWindows(world.l1.client as never, disputes, { modelId })).at(-1)!;
  if (lie.fault === "Row") {
    await world.waitFor(
      "a game about the row",
      async () => (await world.l1.client.getBalance({ address: game })) > 0n,
      STEP_TIMEOUT_MS,
    );
    if (!lie.isFought) await world.passTime(49 * HOUR_SECONDS);
  }
  const { refutation, refutedBy } = await world.waitFor(
    `watch to refute "${lie.name}"`,
    async () => {
      if (lie.isFought) await player.playOnce();
      const window = await windowOf();
      return window.state === "refuted" ? window : null;
    },
    STEP_TIMEOUT_MS,
  );
  if (refutedBy !== drillAccount("watcher").address || refutation!.fault !== lie.fault)
    throw drillError("DRL_UNEXPECTED", `${refutedBy} has shown ${refutation!.fault} of "${lie.name}"`);
  // So that the next game's stake is seen.
  if (lie.fault === "Row") await f.run.run("disputes", "withdraw", f.gate, ...f.as("watcher"));
  return {
    ...{ name: lie.name, modelId, fault: refutation!.fault },
    ...{ postGas: Number(gasUsed), rewardWei: refutation!.rewardWei },
  };
}
